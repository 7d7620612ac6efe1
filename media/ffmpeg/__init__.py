"""Everything that touches video bytes: pure functions over local files, no models and no settings.

One module a job: `binary` finds and runs ffmpeg, `probe` reads a source, `ladder` decides the qualities, `encode` makes
them, `stills` makes the pictures, `playlists` measures and describes the result, `captions` reads subtitle files.
"""
