"""Jobs for people and programs: in words, in lines, in bars, and as JSON."""
