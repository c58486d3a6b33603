package recipe

import (
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"
)

// Proof is what a boot of the built kernel must show. In any case the kernel's
// release must be that of the package, and the console must be clean. A proof
// does not affect how the packages are made, and is not part of a plan.
type Proof struct {
	// TimeWait is how long a closed connection holds its port, FinTimeout the
	// default of tcp_fin_timeout, both in seconds. 0 means not checked.
	TimeWait   int `json:"timeWait,omitempty"`
	FinTimeout int `json:"finTimeout,omitempty"`
	// Version is a text that /proc/version must contain.
	Version string `json:"version,omitempty"`
	// Modules must load. If Signed, the kernel must accept their signatures.
	Modules []string `json:"modules,omitempty"`
	Signed  bool     `json:"signed,omitempty"`
	// Allow are texts. A warning on the console that contains one is ignored.
	Allow []string `json:"allow,omitempty"`
	// Stock is the TimeWait and FinTimeout that the vendor's own kernel must
	// show. If it is nil, neither is checked.
	Stock *StockProof `json:"stock,omitempty"`
}

// StockProof is what differs in the kernel without the recipe's changes.
type StockProof struct {
	TimeWait   int `json:"timeWait,omitempty"`
	FinTimeout int `json:"finTimeout,omitempty"`
}

// forStock returns the proof of the kernel without the recipe's changes.
func (p Proof) forStock() Proof {
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

// maxSeconds is the longest time that a proof measures.
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
		Signed: p.boolean(m, "signed"), Allow: p.words(m, "allow", isLine),
	}
	if s, ok := m.entries["signed"]; ok && r.Signed && !m.has("modules") {
		p.fault(s.key, "signed must not be set without modules")
	}
	if s, ok := m.entries["stock"]; ok {
		m := p.mapping(s.value, "stock", stockKeys...)
		r.Stock = &StockProof{p.seconds(m, "time-wait"), p.seconds(m, "fin-timeout")}
	}
	return r
}

// seconds returns the value of a key that is a time, or 0 if the key is missing.
func (p *page) seconds(m mapping, key string) int {
	n := p.integer(m, key, 1, 0)
	if n > maxSeconds {
		p.fault(m.entries[key].value, "%s is %d: must be at most %d seconds", key, n, maxSeconds)
		return 0
	}
	return n
}

// boolean returns the value of a key, or false if the key is missing.
func (p *page) boolean(m mapping, key string) bool {
	e, ok := m.entries[key]
	if !ok || unreadable(e.value) {
		return false
	}
	var value bool
	if n := e.value; n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Load(&value) != nil {
		p.fault(n, "%s is %s: must be true or false", key, describe(n))
	}
	return value
}

func isModule(s string) string {
	return unless(s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	}), `the name of a module as lsmod prints it: letters, digits, "_" and "-"`)
}
