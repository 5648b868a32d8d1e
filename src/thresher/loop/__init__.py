"""One turn of the loop; the autopilot that repeats it; jobs."""
