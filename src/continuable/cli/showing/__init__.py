"""How jobs are shown: in words, in lines, in bars, and as JSON."""
