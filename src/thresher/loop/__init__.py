"""One turn of the loop, told so that it reads aloud; the autopilot that repeats it; jobs."""
