package engine

// What the tests outside the package need of its inside.

// ThisProcess is what ownerLabel holds for this process.
func ThisProcess() string {
	o, err := thisProcess()
	if err != nil {
		panic(err)
	}
	return o.String()
}

// Dead is the engine in the hands of a driver that had our PID before us.
func Dead(e *Engine) *Engine {
	other := *e
	other.owner.start--
	return &other
}

// Elsewhere is the engine in the hands of a driver on another host.
func Elsewhere(e *Engine) *Engine {
	other := *e
	other.owner.host = "elsewhere"
	return &other
}

// Label is what an engine's containers and volumes carry.
func Label(e *Engine) string { return ownerLabel + "=" + e.owner.String() }

// Unreachable is what a failed first word becomes.
func Unreachable(host string, err error) error { return unreachable(host, err) }
