package boot

import (
	"fmt"
	"slices"
	"strings"

	"namibuild/builder/recipe"
)

// Config is a kernel's configuration: the options that are built in (y) or
// modules (m), without their CONFIG_. Nil: it is not known.
type Config map[string]string

// ParseConfig reads a .config. Lines that set nothing are passed over.
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

// Option is one that a proof needs, and what for.
type Option struct {
	Name string `json:"name"`
	For  string `json:"for"`
}

// The options without which no witness can speak, and those of single checks.
var (
	forSpeaking = []Option{
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
	forSignatures = []Option{{"MODULE_SIG", "judging the modules' signatures"}}
)

// OptionsError says that a kernel is configured without what its proof needs.
type OptionsError struct{ Missing []Option }

func (e *OptionsError) Error() string {
	var list []string
	for _, o := range e.Missing {
		list = append(list, fmt.Sprintf("CONFIG_%s=y (%s)", o.Name, o.For))
	}
	return "the kernel cannot be proven, its configuration lacks " + strings.Join(list, ", ")
}

// check names the options that a proof needs and that are not built in.
func (c Config) check(want recipe.Proof, kernelJudges bool) error {
	need := [][]Option{forSpeaking}
	if want.TimeWait > 0 {
		need = append(need, forSockets)
	}
	if want.FinTimeout > 0 {
		need = append(need, forSysctl)
	}
	if len(want.Modules) > 0 {
		need = append(need, forModules)
	}
	if kernelJudges {
		need = append(need, forSignatures)
	}
	return c.need(need...)
}

// need names the options of these lists that are not built in, as an
// *OptionsError.
func (c Config) need(lists ...[]Option) error {
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
