package hosttest

import (
	"testing"
)

// recorder notes how a test would have ended.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()           {}
func (r *recorder) Skip(args ...any)  { r.skipped = args[0].(string) }
func (r *recorder) Fatal(args ...any) { r.failed = args[0].(string) }

func TestProgram(t *testing.T) {
	r := &recorder{TB: t}
	if path := Program(r, "go"); path == "" || r.skipped+r.failed != "" {
		t.Errorf("go: path %q, %+v", path, r)
	}
	t.Setenv("PATH", t.TempDir())
	for name, want := range map[string]string{"dnf": "needs dnf (Debian package dnf)", "no-such": "needs no-such"} {
		skipped, failed := "", want
		if testing.Short() {
			skipped, failed = want, ""
		}
		r := &recorder{TB: t}
		if path := Program(r, name); path != "" || r.skipped != skipped || r.failed != failed {
			t.Errorf("%s: path %q, skipped %q, failed %q; want skipped %q, failed %q", name, path, r.skipped, r.failed, skipped, failed)
		}
	}
}
