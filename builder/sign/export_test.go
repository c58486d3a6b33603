package sign

// Functions that tests call directly.
var (
	Keygrip     = keygrip
	ParseSigVal = parseSigVal
	ParseURI    = parseURI
)
