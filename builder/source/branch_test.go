package source_test

import (
	"strings"
	"testing"
)

// TestBranchForAnotherDistribution checks an early el6 spec, which defines
// distro_build two more times, in the branch for Fedora. The plain number of the
// first branch is the one that changes.
func TestBranchForAnotherDistribution(t *testing.T) {
	const build = "%define distro_build 431.3.1\n"
	spec := strings.Replace(stockSpec(t), build, "%define rhel 1\n%if %{rhel}\n"+build+
		"%else\n%global distro_build %(echo %{fedora_cvs_origin})\n%define distro_build %{fedora_build}\n%endif\n", 1)
	p, _ := prepare(t, write(t, stockPackage(spec, pack(t, stockTree()))), timewait)
	for _, c := range p.Changes {
		if c.Path != "kernel.spec" {
			continue
		}
		want := strings.NewReplacer(
			build, "%define distro_build 431.3.1.namibuild\n",
			"%define kversion 2.6.32-431.3.1.el6\n", "%define kversion 2.6.32-431.3.1.namibuild.el6\n",
			"Source0: "+stockTar, "Source0: "+strings.Replace(stockTar, "431.3.1", "431.3.1.namibuild", 1),
		).Replace(spec)
		if string(c.After) != want {
			t.Errorf("got\n%s\nwant\n%s", c.After, want)
		}
		return
	}
	t.Error("the spec was not changed")
}
