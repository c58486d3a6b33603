package boot

import (
	"bytes"
	"debug/elf"
	"strconv"
)

// load is one module that the witness is given, and what is wanted of it.
type load struct {
	Module
	data []byte
	// altered: a bit of the module was turned over, so the kernel must refuse it.
	altered bool
}

// loads are what the witness loads, in order. Where the kernel itself judges
// signatures, each wanted module comes altered first: the kernel must refuse
// that, else it judges nothing.
func (o Order) loads() []load {
	var all []load
	for _, m := range o.Kernel.Modules {
		if o.kernelJudges() && m.Wanted {
			if data, ok := m.alter(); ok {
				all = append(all, load{m, data, true})
			}
		}
		all = append(all, load{m, m.Data, false})
	}
	return all
}

// kernelJudges: signatures are wanted, and of a kind that the kernel knows.
func (o Order) kernelJudges() bool {
	if !o.Want.Signed {
		return false
	}
	for _, m := range o.Kernel.Modules {
		if s := m.signing(); s == appended || s == noted && o.Kernel.Config["MODULE_SIG"] == "y" {
			return true
		}
	}
	return false
}

// alter turns over one bit of a text in the module: the last letter of its last
// .modinfo field that is no letter of what the kernel reads before it looks at the signature.
func (m Module) alter() ([]byte, bool) {
	f, err := elf.NewFile(bytes.NewReader(m.Data))
	if err != nil {
		return nil, false
	}
	s := f.Section(".modinfo")
	if s == nil || s.Type == elf.SHT_NOBITS {
		return nil, false
	}
	text, err := s.Data()
	for _, field := range []string{"description=", "author=", "srcversion=", "license="} {
		if i := bytes.Index(text, []byte(field)); err == nil && i >= 0 && i+len(field) < len(text) {
			data := bytes.Clone(m.Data)
			data[s.Offset+uint64(i+len(field))] ^= 0x01
			return data, true
		}
	}
	return nil, false
}

func moduleFile(i int) string { return "modules/" + strconv.Itoa(i) }
