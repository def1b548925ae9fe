SELECT id, fence, state FROM continuable_progress WHERE worker = :worker
