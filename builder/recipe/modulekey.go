package recipe

import (
	"path"
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"
)

var moduleKeyKeys = []string{string(KeyPersistent), string(KeyRecorded)}

// moduleKey reads `module-key: ephemeral`, or a mapping of another mode to its
// file.
func (p *page) moduleKey(in mapping) ModuleKey {
	e, ok := in.entries["module-key"]
	if !ok {
		return ModuleKey{}
	}
	if e.value.Kind != yaml.MappingNode {
		p.scalar(e.value, "module-key", isEphemeral)
		return ModuleKey{}
	}
	m := p.mapping(e.value, "module-key", moduleKeyKeys...)
	switch persistent, recorded := m.has("persistent"), m.has("recorded"); {
	case persistent && recorded:
		p.fault(m.entries["recorded"].key, "module-key must have only one of persistent and recorded")
	case persistent:
		return ModuleKey{Mode: KeyPersistent, File: p.text(m, "persistent", isKeyFile)}
	case recorded:
		file := p.text(m, "recorded", isBeside)
		return ModuleKey{Mode: KeyRecorded, File: file, Content: p.content(m, "recorded", file)}
	case len(e.value.Content) == 0:
		p.fault(e.value, "module-key is empty: must be ephemeral, persistent: FILE or recorded: FILE")
	}
	return ModuleKey{}
}

func isEphemeral(s string) string {
	return unless(s == "ephemeral", "ephemeral, or a mapping of persistent or recorded to a FILE")
}

func isKeyFile(s string) string {
	return unless(s != "" && path.Base(s) != "." && !strings.ContainsFunc(s, unicode.IsControl) && !strings.HasSuffix(s, "/"),
		"the path of a file that `namibuild modkey new` made")
}
