"""Speech → transcript: Whisper on a CPU, encoding only as much time as was spoken."""
