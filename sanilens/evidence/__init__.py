"""What a run shows, for somebody who believes nothing: report, formats, signature, verification."""
