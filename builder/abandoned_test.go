package builder

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestAbandoned: what a killed release left goes with the next build or release
// beside it; what is in use, what may be the only copy of a bundle, and what is not
// ours stays.
func TestAbandoned(t *testing.T) {
	for name, next := range map[string]func(dir string) (func(), error){
		"build": func(dir string) (func(), error) { o, err := openOutput(filepath.Join(dir, "set")); return o.close, err },
		"release": func(dir string) (func(), error) {
			b, err := openBundle(filepath.Join(dir, "set-release"))
			return b.close, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out[1]")
			for _, file := range []string{".killed.part/bundle/RPMS/a.rpm", ".running.part/bundle/a", ".replaced.part/bundle/a",
				".replaced.part/old/release.json", ".other.part/a", ".empty.part/b/c", "bundle/a"} {
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, file), nil, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			running, err := os.Open(filepath.Join(dir, ".running.part"))
			if err != nil {
				t.Fatal(err)
			}
			defer running.Close()
			if err := syscall.Flock(int(running.Fd()), syscall.LOCK_EX); err != nil {
				t.Fatal(err)
			}
			end, err := next(dir)
			if err != nil {
				t.Fatal(err)
			}
			end()
			want := []string{".empty.part", ".other.part", ".replaced.part", ".running.part", "bundle"}
			if got := names(t, dir); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := names(t, filepath.Join(dir, ".replaced.part")); len(got) != 2 {
				t.Errorf("of a replaced bundle there is %q", got)
			}
		})
	}
}
