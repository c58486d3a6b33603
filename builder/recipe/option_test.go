package recipe

import "testing"

func TestOptionOf(t *testing.T) {
	for line, want := range map[string]Option{
		"CONFIG_A=y\n":                     {"CONFIG_A", "y"},
		"CONFIG_64BIT=n":                   {"CONFIG_64BIT", "n"},
		"# CONFIG_A is not set\n":          {"CONFIG_A", "n"},
		"# CONFIG_A is not set \t\r\n":     {"CONFIG_A", "n"},
		"CONFIG_S=\"a # CONFIG_B=y\"  \n":  {"CONFIG_S", `"a # CONFIG_B=y"`},
		"CONFIG_S=\n":                      {"CONFIG_S", ""},
		"# CONFIG_A is not set up\n":       {},
		"#CONFIG_A is not set\n":           {},
		"# avoid CONFIG_A=y\n":             {},
		" CONFIG_A=y\n":                    {},
		"CONFIG_A\n":                       {},
		"CONFIG_A-B=y\n":                   {},
		"CONFIG_A=y\nCONFIG_B=y\n":         {},
		"# CONFIG_A is not set\nCONFIG_B=": {},
	} {
		got, ok := OptionOf(line)
		if got != want || ok != (want != Option{}) {
			t.Errorf("%q: %+v, %t", line, got, ok)
		}
	}
}

func TestOptionSame(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"y", "y", true}, {"y", "m", false}, {"16", "0x10", true}, {"0x10", "17", false}, {`"16"`, "16", false}, {"n", "", false}, {"-1", "-1", true},
	} {
		if same := (Option{"CONFIG_A", c.want}).Same(c.got); same != c.same {
			t.Errorf("%s, %s: %t", c.want, c.got, same)
		}
	}
}
