package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/recipe"
)

const keyPrint = "148DA79AB3541D427AE1F89918CC8B634A282088"

func TestModuleKey(t *testing.T) {
	ids := map[string]bool{}
	for _, test := range []struct {
		key         recipe.ModuleKey
		fingerprint string
		want        ModuleKey
		path        string
		text        string
	}{
		{recipe.ModuleKey{}, "", ModuleKey{Mode: "ephemeral"}, "/usr/lib/namibuild/gzip:",
			"\n  module key ephemeral, made in the build: what it signs is not reproducible\n"},
		{recipe.ModuleKey{Mode: recipe.KeyPersistent, File: "/home/a/my.key"}, keyPrint, ModuleKey{Mode: "persistent", Fingerprint: keyPrint}, "/usr/lib/namibuild/modkey:/usr/lib/namibuild/gzip:",
			"\n  module key persistent, " + keyPrint + "; its private half stays out of the container\n"},
		{recipe.ModuleKey{Mode: recipe.KeyPersistent, File: "my.pem"}, keyPrint + keyPrint[:24], ModuleKey{Mode: "persistent", Fingerprint: keyPrint + keyPrint[:24]}, "/usr/lib/namibuild/modkey:/usr/lib/namibuild/gzip:",
			"\n  module key persistent, X.509 " + keyPrint + keyPrint[:24] + "; its private half stays out of the container\n"},
		{recipe.ModuleKey{Mode: recipe.KeyRecorded, File: "s.json", Content: []byte("{}")}, keyPrint,
			ModuleKey{Mode: "recorded", Fingerprint: keyPrint, Signatures: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}, "/usr/lib/namibuild/modkey:/usr/lib/namibuild/gzip:",
			"\n  module key recorded signatures of " + keyPrint + "\n"},
	} {
		r, in := demo(), facts()
		r.ModuleKey, in.ModuleKey = test.key, test.fingerprint
		p := mustNew(t, r, in)
		if d := cmp.Diff(test.want, p.ModuleKey); d != "" {
			t.Errorf("-want +got\n%s", d)
		}
		if p.Env[0].Name != "PATH" || p.Env[0].Value != test.path+"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" {
			t.Errorf("%s: %+v", test.want.Mode, p.Env[0])
		}
		if got := strings.Contains(p.Text(), ":/usr/lib/namibuild/signfile.so"); got != (len(test.fingerprint) == 64) {
			t.Errorf("%s: signfile.so is preloaded: %v", test.text, got)
		}
		if !strings.Contains(p.Text(), test.text) || strings.Contains(p.Text(), "/home/a") {
			t.Errorf("%s:\n%s", test.want.Mode, p.Text())
		}
		if p.ModuleKey.Reproducible() != (test.fingerprint != "") || ids[p.ID()] {
			t.Errorf("%s: reproducible %v, ID %s", test.want.Mode, p.ModuleKey.Reproducible(), p.ID())
		}
		ids[p.ID()] = true
	}
}

func TestModuleKeyErrors(t *testing.T) {
	for fingerprint, mode := range map[string]recipe.KeyMode{keyPrint: recipe.KeyEphemeral, "": recipe.KeyRecorded, keyPrint[1:]: recipe.KeyPersistent} {
		r, in := demo(), facts()
		r.ModuleKey, in.ModuleKey = recipe.ModuleKey{Mode: mode}, fingerprint
		if _, err := New(r, in); err == nil || !strings.Contains(err.Error(), "module key") {
			t.Errorf("%s with %q: %v", mode, fingerprint, err)
		}
	}
}
