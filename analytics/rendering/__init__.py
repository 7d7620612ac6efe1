"""Charts as SVG and HTML: data in, `SafeString` out. No model, no query, no language of its own: words come as
`Words`."""
