package boot

import (
	"bytes"
	"debug/elf"
	"strconv"
)

// attempt is one module that the witness tries to load.
type attempt struct {
	Module
	data []byte
	// damaged says that a bit of data is flipped, so that the kernel must refuse
	// the module.
	damaged bool
}

// attempts returns what the witness tries to load, in order. If the kernel
// itself verifies signatures, a damaged copy comes before each wanted module: a
// kernel that loads the copy verifies nothing.
func (o Order) attempts() []attempt {
	var all []attempt
	for _, m := range o.Kernel.Modules {
		if o.kernelVerifies() && m.Wanted {
			if data, ok := m.damage(); ok {
				all = append(all, attempt{m, data, true})
			}
		}
		all = append(all, attempt{m, m.Data, false})
	}
	return all
}

// kernelVerifies reports whether signatures are wanted and are of a kind that
// the kernel verifies.
func (o Order) kernelVerifies() bool {
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

// damage returns the module with one bit flipped in a text of its section
// .modinfo. The fields are those that the kernel does not read before it looks at
// the signature. It returns false if the module has none of them.
func (m Module) damage() ([]byte, bool) {
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

// moduleFile returns the name in the initramfs of the module of attempt i.
func moduleFile(i int) string { return "modules/" + strconv.Itoa(i) }
