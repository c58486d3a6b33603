package engine

// These functions give the tests of package engine_test what is not exported.

// ThisProcess returns the value of ownerLabel for this process.
func ThisProcess() string {
	o, err := thisProcess()
	if err != nil {
		panic(err)
	}
	return o.String()
}

// Dead returns the engine as used by a dead driver that had our PID before.
func Dead(e *Engine) *Engine {
	other := *e
	other.owner.start--
	return &other
}

// Elsewhere returns the engine as used by a driver on another host.
func Elsewhere(e *Engine) *Engine {
	other := *e
	other.owner.host = "elsewhere"
	return &other
}

// Unforced returns the engine as it is without Options.Entropy.
func Unforced(e *Engine, kernel string) *Engine {
	other := *e
	other.forceRngd, other.info.Kernel = false, kernel
	return &other
}

// HelperOutput returns the last output of a container's first helper.
func HelperOutput(c *Container) string { return c.helpers[0].tail.String() }

// Label returns the owner label of an engine's containers and volumes.
func Label(e *Engine) string { return ownerLabel + "=" + e.owner.String() }

// Unreachable returns the error of a first request that failed with err.
func Unreachable(host string, err error) error { return unreachable(host, err) }
