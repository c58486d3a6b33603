package sign

// Parts that tests judge alone.
var (
	Keygrip     = keygrip
	ParseSigVal = parseSigVal
	ParseURI    = parseURI
)
