package boot

import (
	"fmt"
	"slices"
	"strings"

	"namibuild/builder/recipe"
)

// Config is a kernel's configuration: the values of its options, by their names
// without CONFIG_. "y" is built in, "m" is a module. A nil Config is not known.
type Config map[string]string

// ParseConfig reads a .config. It skips lines that set nothing.
func ParseConfig(data []byte) Config {
	c := Config{}
	for line := range strings.Lines(string(data)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if name, config := strings.CutPrefix(name, "CONFIG_"); ok && config {
			c[name] = value
		}
	}
	return c
}

// Option is an option that a proof needs, and what it needs it for.
type Option struct {
	Name string `json:"name"`
	For  string `json:"for"`
}

// The options that the witness needs in any case, and those of single checks.
var (
	forWitness = []Option{
		{"64BIT", "the witness, which is a 64-bit program"},
		{"BLK_DEV_INITRD", "the initramfs"},
		{"BINFMT_ELF", "running the witness"},
		{"PRINTK", "the console"},
		{"SERIAL_8250", "the console"},
		{"SERIAL_8250_CONSOLE", "the console"},
		{"PROC_FS", "/proc/version"},
	}
	forSockets    = []Option{{"NET", "a TIME_WAIT socket"}, {"INET", "a TIME_WAIT socket"}}
	forSysctl     = []Option{{"PROC_SYSCTL", "tcp_fin_timeout"}}
	forModules    = []Option{{"MODULES", "loading modules"}}
	forSignatures = []Option{{"MODULE_SIG", "verifying the modules' signatures"}}
)

// OptionsError reports that a kernel lacks options that its proof needs.
type OptionsError struct{ Missing []Option }

func (e *OptionsError) Error() string {
	var list []string
	for _, o := range e.Missing {
		list = append(list, fmt.Sprintf("CONFIG_%s=y (%s)", o.Name, o.For))
	}
	return "the kernel cannot be proven: its configuration lacks " + strings.Join(list, ", ")
}

// requireFor returns an *OptionsError if options that a proof needs are not built in.
func (c Config) requireFor(want recipe.Proof, kernelVerifies bool) error {
	need := [][]Option{forWitness}
	if want.TimeWait > 0 {
		need = append(need, forSockets)
	}
	if want.FinTimeout > 0 {
		need = append(need, forSysctl)
	}
	if len(want.Modules) > 0 {
		need = append(need, forModules)
	}
	if kernelVerifies {
		need = append(need, forSignatures)
	}
	return c.require(need...)
}

// require returns an *OptionsError if options of these lists are not built in.
func (c Config) require(lists ...[]Option) error {
	if c == nil {
		return nil
	}
	e := &OptionsError{}
	for _, o := range slices.Concat(lists...) {
		if c[o.Name] != "y" {
			e.Missing = append(e.Missing, o)
		}
	}
	if len(e.Missing) > 0 {
		return e
	}
	return nil
}
