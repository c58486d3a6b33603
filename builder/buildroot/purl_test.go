package buildroot

import "testing"

func TestPURL(t *testing.T) {
	centos, debian := Root{Distribution: "centos", Release: "6.5"}, Root{Distribution: "debian", Release: "12"}
	for got, want := range map[string]string{
		centos.PURL(Package{Kind: "rpm", Name: "gcc", Version: "4.4.7-4.el6", Arch: "x86_64"}):         "pkg:rpm/centos/gcc@4.4.7-4.el6?arch=x86_64&distro=centos-6.5",
		centos.PURL(Package{Kind: "rpm", Name: "perl", Version: "4:5.10.1-136.el6", Arch: "x86_64"}):   "pkg:rpm/centos/perl@5.10.1-136.el6?arch=x86_64&distro=centos-6.5&epoch=4",
		debian.PURL(Package{Kind: "deb", Name: "gcc-12", Version: "12.2.0-14+deb12u1", Arch: "amd64"}): "pkg:deb/debian/gcc-12@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12",
		debian.PURL(Package{Kind: "deb", Name: "zlib1g", Version: "1:1.2.13", Arch: "amd64"}):          "pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&distro=debian-12",
	} {
		if got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}
