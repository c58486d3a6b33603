package recipe

import (
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"
)

// Proof is what a boot of the built kernel must show. Its release is that of the
// package and its console is clean, whatever else is asked for. It says nothing
// of how the packages are made and is in no plan.
type Proof struct {
	// TimeWait is how long a closed connection holds its port, FinTimeout the
	// default of tcp_fin_timeout, in seconds; 0: not asked for.
	TimeWait   int `json:"timeWait,omitempty"`
	FinTimeout int `json:"finTimeout,omitempty"`
	// Version is a text that /proc/version holds.
	Version string `json:"version,omitempty"`
	// Modules must load; when Signed, with signatures that are accepted.
	Modules []string `json:"modules,omitempty"`
	Signed  bool     `json:"signed,omitempty"`
	// Allow are texts: a line of trouble on the console that has one is none.
	Allow []string `json:"allow,omitempty"`
	// Stock is what the vendor's own kernel must show instead: TimeWait and
	// FinTimeout. Nil: it is asked for neither.
	Stock *StockProof `json:"stock,omitempty"`
}

// StockProof is what is other in the kernel without the recipe's changes.
type StockProof struct {
	TimeWait   int `json:"timeWait,omitempty"`
	FinTimeout int `json:"finTimeout,omitempty"`
}

// ForStock is the proof of the kernel without the recipe's changes.
func (p Proof) ForStock() Proof {
	p.TimeWait, p.FinTimeout, p.Version = 0, 0, ""
	if p.Stock != nil {
		p.TimeWait, p.FinTimeout = p.Stock.TimeWait, p.Stock.FinTimeout
	}
	p.Stock = nil
	return p
}

var (
	proofKeys = []string{"time-wait", "fin-timeout", "version", "modules", "signed", "allow", "stock"}
	stockKeys = []string{"time-wait", "fin-timeout"}
)

// maxSeconds is what a proof waits at most.
const maxSeconds = 600

func (p *page) proof(in mapping) Proof {
	e, ok := in.entries["proof"]
	if !ok {
		return Proof{}
	}
	m := p.mapping(e.value, "proof", proofKeys...)
	r := Proof{
		TimeWait: p.seconds(m, "time-wait"), FinTimeout: p.seconds(m, "fin-timeout"),
		Version: p.text(m, "version", isLine), Modules: p.words(m, "modules", isModule),
		Signed: p.truth(m, "signed"), Allow: p.words(m, "allow", isLine),
	}
	if s, ok := m.entries["signed"]; ok && r.Signed && !m.has("modules") {
		p.fault(s.key, "signed without modules: expected the modules whose signatures are to be accepted")
	}
	if s, ok := m.entries["stock"]; ok {
		m := p.mapping(s.value, "stock", stockKeys...)
		r.Stock = &StockProof{p.seconds(m, "time-wait"), p.seconds(m, "fin-timeout")}
	}
	return r
}

func (p *page) seconds(m mapping, key string) int {
	n := p.whole(m, key, 1, 0)
	if n > maxSeconds {
		p.fault(m.entries[key].value, "%s is %d: expected at most %d seconds", key, n, maxSeconds)
		return 0
	}
	return n
}

// truth is the true or false of a key; false when it is not there.
func (p *page) truth(m mapping, key string) bool {
	e, ok := m.entries[key]
	if !ok || unreadable(e.value) {
		return false
	}
	var value bool
	if n := e.value; n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Load(&value) != nil {
		p.fault(n, "%s is %s: expected true or false", key, kind(n))
	}
	return value
}

func isModule(s string) string {
	return unless(s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	}), `the name of a module as lsmod has it: letters, digits, "_" and "-"`)
}
