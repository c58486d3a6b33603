package recipe

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShippedRecipes compares all fields of the recipes in this repository.
func TestShippedRecipes(t *testing.T) {
	got, err := Shipped(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	edits := []Edit{{
		File: "include/net/tcp.h", Find: "#define TCP_TIMEWAIT_LEN (60*HZ)", Replace: "#define TCP_TIMEWAIT_LEN (5*HZ)", Times: 1,
	}}
	packages := []string{"kernel", "kernel-devel", "kernel-headers", "kernel-firmware"}
	proof := Proof{TimeWait: 5, FinTimeout: 5, Modules: []string{"tcp_westwood", "dummy", "tun"}, Signed: true, Stock: &StockProof{60, 60}}
	want := []Recipe{
		{
			Name:        "centos6.5-timewait",
			Description: "CentOS 6.5's kernel 2.6.32-431.3.1 with TCP_TIMEWAIT_LEN of 5 seconds instead of 60; plan tested, never built here",
			Image:       "centos6",
			Source: Source{
				URL: "http://vault.centos.org/6.5/updates/Source/SPackages/kernel-2.6.32-431.3.1.el6.src.rpm",
				Mirrors: []string{
					"https://archive.kernel.org/centos-vault/6.5/updates/Source/SPackages/kernel-2.6.32-431.3.1.el6.src.rpm",
					"http://linuxsoft.cern.ch/centos-vault/6.5/updates/Source/SPackages/kernel-2.6.32-431.3.1.el6.src.rpm",
				},
				SignedBy: "C1DAC52D1664E8A4386DBA430946FCA2C105B9DE",
			},
			Tag: "namibuild", Edits: edits, Rpmbuild: Rpmbuild{With: []string{"firmware"}}, Packages: packages, Proof: proof,
		},
		{
			Name:        "centos7.9-timewait",
			Description: "CentOS 7.9's kernel 3.10.0-1160.119.1 with TCP_TIMEWAIT_LEN of 5 seconds instead of 60; plan tested, never built here",
			Image:       "centos7",
			Source: Source{
				URL: "http://vault.centos.org/7.9.2009/updates/Source/SPackages/kernel-3.10.0-1160.119.1.el7.src.rpm",
				Mirrors: []string{
					"https://archive.kernel.org/centos-vault/7.9.2009/updates/Source/SPackages/kernel-3.10.0-1160.119.1.el7.src.rpm",
					"http://linuxsoft.cern.ch/centos-vault/7.9.2009/updates/Source/SPackages/kernel-3.10.0-1160.119.1.el7.src.rpm",
				},
				SignedBy: "6341AB2753D78A78A7C27BB124C6A8A7F4A80EB5",
			},
			Tag: "namibuild", Edits: edits,
			Rpmbuild: Rpmbuild{With: []string{"baseonly"}, Without: []string{"debuginfo", "perf", "tools"}},
			Packages: []string{"kernel", "kernel-devel", "kernel-headers"},
		},
		{
			Name:        "demo",
			Description: "Debian's kernel 6.1, small configuration, with TCP_TIMEWAIT_LEN of 5 seconds instead of 60",
			Image:       "debian12",
			Source:      Source{Pack: "demo"},
			Tag:         "namibuild", Edits: edits, Rpmbuild: Rpmbuild{With: []string{"firmware"}}, Packages: packages, Proof: proof,
		},
		{
			Name:        "elrepo-ml6.6-timewait",
			Description: "ELRepo's kernel-ml 6.6 for el9 with TCP_TIMEWAIT_LEN of 5 seconds instead of 60; plan tested, never built here",
			Image:       "rocky9",
			Source: Source{
				URL:      "https://elrepo.org/linux/kernel/el9/SRPMS/kernel-ml-6.6.0-1.el9.elrepo.nosrc.rpm",
				SignedBy: "96C0104F631547311E0BB1AE309BC305BAADAE52",
				Tarball: Tarball{
					URL:    "https://cdn.kernel.org/pub/linux/kernel/v6.x/linux-6.6.tar.xz",
					SHA256: "d926a06c63dd8ac7df3f86ee1ffc2ce2a3b81a2d168484e76b5b389aba8e56d0",
				},
			},
			Tag: "namibuild", Edits: edits,
			Packages: []string{"kernel-ml", "kernel-ml-devel"},
		},
		{
			Name:        "rocky8.9-timewait",
			Description: "Rocky Linux 8.9's kernel 4.18.0-513.5.1 with TCP_TIMEWAIT_LEN of 5 seconds instead of 60; plan tested, never built here",
			Image:       "rocky8",
			Source: Source{
				URL:      "https://dl.rockylinux.org/vault/rocky/8.9/BaseOS/source/tree/Packages/k/kernel-4.18.0-513.5.1.el8_9.src.rpm",
				SignedBy: "7051C470A929F454CEBE37B715AF5DAC6D745A60",
			},
			Tag: "namibuild", Edits: edits,
			Rpmbuild: Rpmbuild{With: []string{"baseonly"}, Without: []string{"debuginfo", "kabidwchk"}},
			Packages: []string{"kernel", "kernel-core", "kernel-modules", "kernel-devel", "kernel-headers"},
		},
		{
			Name:        "rocky9.3-timewait",
			Description: "Rocky Linux 9.3's kernel 5.14.0-362.8.1 with TCP_TIMEWAIT_LEN of 5 seconds instead of 60; plan tested, never built here",
			Image:       "rocky9",
			Source: Source{
				URL:      "https://dl.rockylinux.org/vault/rocky/9.3/BaseOS/source/tree/Packages/k/kernel-5.14.0-362.8.1.el9_3.src.rpm",
				SignedBy: "21CB256AE16FC54C6E652949702D426D350D275D",
			},
			Tag: "namibuild", Edits: edits,
			Rpmbuild: Rpmbuild{With: []string{"baseonly"}, Without: []string{"debuginfo", "kabidwchk"}},
			Packages: []string{"kernel", "kernel-core", "kernel-modules", "kernel-modules-core", "kernel-devel", "kernel-headers"},
		},
	}
	for i := range got {
		if got[i].Name == "demo" && got[i].Objects < 100 {
			t.Errorf("demo compiles %d objects, want an estimate of 100 or more", got[i].Objects)
		}
		got[i].Objects, got[i].files = 0, nil // neither the estimate nor the folder is compared
	}
	if d := cmp.Diff(want, got, allFields); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
