//go:build e2e

package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/client"

	"namibuild/builder/modkey"
	"namibuild/builder/set"
)

// specHead begins specs that build the tiny kernel's tree in another way.
const specHead = `%define distro_build 431.3.1
%define kversion 2.6.32-431.3.1.el6
%define debug_package %{nil}
Name: kernel
Summary: A kernel for a test
Version: 2.6.32
Release: %{distro_build}.el6
License: GPLv2
ExclusiveArch: x86_64
Source0: linux-2.6.32-431.3.1.el6.tar.bz2
%description
A kernel for a test.
%prep
%setup -q -n kernel-%{kversion} -c
`

// signSpec calls gpg as EL6's kernel spec and scripts/mod/modsign.sh do, for
// twenty modules at once, and checks the signatures with the image's own gpg.
const signSpec = specHead + `cd linux-%{kversion}
printf '%s\n' 'Key-Type: DSA' 'Key-Length: 1024' 'Name-Real: CentOS' '%pubring kernel.pub' '%secring kernel.sec' '%commit' >genkey
gpg --homedir . --batch --gen-key genkey
gpg --homedir . --export --keyring ./kernel.pub CentOS >extract.pub
[ -s extract.pub ]
! gpg --batch -b nosuch.ko || exit 1
%build
cd linux-%{kversion}
mkdir modules
for n in $(seq 20); do
    (
        cd modules
        @BUILD@
        echo "module $n" >>$n.ko
        gpg --no-greeting --homedir .. --no-permission-warning --no-default-keyring --secret-keyring ../kernel.sec --keyring ../kernel.pub -b $n.ko
        gpg --homedir .. --no-permission-warning --batch --no-default-keyring --trust-model always --keyring ../kernel.pub --verify $n.ko.sig $n.ko
        gpg --homedir .. --no-permission-warning --no-default-keyring --secret-keyring ../kernel.sec --keyring ../kernel.pub --output $n.again --detach-sign $n.ko
        cmp $n.again $n.ko.sig || [ "@MODE@" = ephemeral ]
    ) &
    jobs="$jobs $!"
done
for job in $jobs; do wait $job; done
%install
mkdir -p %{buildroot}/boot
cp linux-%{kversion}/extract.pub linux-%{kversion}/modules/*.sig %{buildroot}/boot/
%files
/boot/*
`

// certifiedSpec makes its key as the kernel's certs/Makefile does, and signs twenty modules
// with EL8's program and with EL7's command. The image's openssl checks the signatures. The
// program itself cannot sign, so that namibuild's stand-in must.
const certifiedSpec = specHead + `cd linux-%{kversion}
printf '%s\n' '[ req ]' 'default_bits = 2048' 'distinguished_name = n' 'prompt = no' '[ n ]' 'CN = throw-away' >x509.genkey
openssl req -new -nodes -utf8 -sha256 -days 36500 -batch -x509 -config x509.genkey -outform PEM -out key.pem -keyout key.pem
openssl req -new -nodes -utf8 -sha256 -days 36500 -batch -x509 -config x509.genkey -outform DER -out key.x509 -keyout key.priv
openssl x509 -in key.pem -outform DER | cmp - key.x509
/usr/bin/openssl req -new -nodes -batch -x509 -config x509.genkey -out other.pem -keyout other.pem
mkdir scripts
! openssl rsautl -sign -inkey nosuch </dev/null || exit 1
echo 'int main(void) { return 3; }' >sign-file.c
gcc -o scripts/sign-file sign-file.c
%build
cd linux-%{kversion}
mkdir modules
for n in $(seq 20); do
    (
        m=modules/$n
        cd modules
        @BUILD@
        cd ..
        echo "module $n" >>$m.ko
        cp $m.ko $m
        ./scripts/sign-file sha256 key.pem key.x509 $m.ko
        [ "$(tail -c 28 $m.ko)" = '~Module signature appended~' ]
        tail -c +$(($(stat -c %s $m) + 1)) $m.ko | head -c -40 >$m.der
        openssl cms -verify -noverify -nointern -binary -inform DER -in $m.der -content $m -certfile key.pem -out /dev/null
        { printf '010\r\006\t\140\206H\001e\003\004\002\001\005\000\004 ' && openssl dgst -sha256 -binary $m; } >$m.info
        openssl rsautl -sign -inkey key.priv -keyform PEM <$m.info >$m.sig
        openssl rsautl -verify -certin -inkey key.pem -in $m.sig | cmp - $m.info
        status=0
        scripts/sign-file sha256 other.pem key.x509 $m || status=$?
        [ $status = 3 ] # the program itself: this key exists
    ) &
    jobs="$jobs $!"
done
for job in $jobs; do wait $job; done
%install
mkdir -p %{buildroot}/boot
cp linux-%{kversion}/key.x509 linux-%{kversion}/modules/*.ko linux-%{kversion}/modules/*.sig %{buildroot}/boot/
%files
/boot/*
`

// signing writes a recipe with that module key, which is YAML. The command runs before each
// module is made.
func signing(t *testing.T, spec, key, command string) (recipe string) {
	t.Helper()
	k := newTiny()
	mode, _, _ := strings.Cut(strings.Trim(key, "{"), ":")
	k.spec, k.build = strings.ReplaceAll(spec, "@MODE@", mode), command
	recipe = k.write(t)
	page, err := os.ReadFile(recipe)
	if err != nil {
		t.Fatal(err)
	}
	write(t, recipe, append(page, "module-key: "+key+"\n"...))
	return recipe
}

const signedRPM = "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm"

func mustBuild(t *testing.T, recipe string) (rpm []byte, out string) {
	t.Helper()
	out = filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := runCommand(t, "build", recipe, "-o", out)
	if code != 0 {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(filepath.Join(out, set.SignaturesFile)); err == nil && !strings.Contains(stdout, "\nmodule signatures: 40 by ") {
		t.Errorf("the output does not say how the modules were signed:\n%s", stdout)
	}
	data, err := os.ReadFile(filepath.Join(out, "RPMS", signedRPM))
	if err != nil {
		t.Fatal(err)
	}
	return data, out
}

func TestEndToEndModuleKey(t *testing.T) {
	begin(t)
	t.Run("gpg", func(t *testing.T) { moduleKey(t, signSpec) })
	t.Run("x509", func(t *testing.T) { moduleKey(t, certifiedSpec, "--x509") })
	one, _ := mustBuild(t, signing(t, signSpec, "ephemeral", ":"))
	if two, _ := mustBuild(t, signing(t, signSpec, "ephemeral", ":")); slices.Equal(one, two) {
		t.Error("two builds with an ephemeral key are equal")
	}
	nothingLeft(t)
}

// moduleKey builds with a key that it makes with these flags, and then without the key.
func moduleKey(t *testing.T, spec string, flags ...string) {
	key := filepath.Join(t.TempDir(), "my.key")
	if code, _, stderr := runCommand(t, append([]string{"modkey", "new", key}, flags...)...); code != 0 {
		t.Fatal(stderr)
	}
	first, out := mustBuild(t, signing(t, spec, "{persistent: "+key+"}", ":"))
	if again, _ := mustBuild(t, signing(t, spec, "{persistent: "+key+"}", ":")); !slices.Equal(first, again) {
		t.Error("two builds with one key differ")
	}
	var record set.Record
	data, err := os.ReadFile(filepath.Join(out, set.RecordFile))
	if err == nil {
		err = json.Unmarshal(data, &record)
	}
	if err != nil || record.Signatures != 40 || record.Plan.ModuleKey.Fingerprint == "" {
		t.Errorf("%v, %d signatures, key %+v", err, record.Signatures, record.Plan.ModuleKey)
	}
	noSecret(t, key, out)
	if spec == signSpec {
		wrongKind(t, certifiedSpec, key)
	}

	table := filepath.Join(out, set.SignaturesFile)
	recorded := signing(t, spec, "{recorded: signatures.json}", ":")
	beside(t, recorded, table)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if again, _ := mustBuild(t, recorded); !slices.Equal(first, again) {
		t.Error("a build with the recorded signatures differs")
	}
	other := signing(t, spec, "{recorded: signatures.json}", "echo more >$n.ko")
	beside(t, other, table)
	code, _, stderr := runCommand(t, "build", other, "-o", filepath.Join(t.TempDir(), "out"))
	if code != exitRpmbuild || !strings.Contains(stderr, "was recorded: the module differs from that of the recorded build") {
		t.Errorf("another module: exit %d\n%s", code, stderr)
	}
}

// wrongKind checks that a kernel that signs in the other way is reported.
func wrongKind(t *testing.T, spec, key string) {
	code, _, stderr := runCommand(t, "build", signing(t, spec, "{persistent: "+key+"}", ":"), "-o", filepath.Join(t.TempDir(), "out"))
	if code != exitUsage || !strings.Contains(stderr, "this kernel signs its modules by X.509") || !strings.Contains(stderr, "--x509") {
		t.Errorf("a key of the other kind: exit %d\n%s", code, stderr)
	}
}

func beside(t *testing.T, recipe, table string) {
	t.Helper()
	data, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(filepath.Dir(recipe), "signatures.json"), data)
}

// noSecret looks for the private half in everything that a build leaves, also in the layers
// of the builder image. The build itself has looked into the compressed files of packages.
func noSecret(t *testing.T, file, out string) {
	t.Helper()
	key, err := modkey.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	var record struct{ Image struct{ ID string } }
	data, err := os.ReadFile(filepath.Join(out, set.RecordFile))
	if err == nil {
		err = json.Unmarshal(data, &record)
	}
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if found, err := key.Scan(f); found || err != nil {
			t.Errorf("%s: the private half is in it: %v, %v", path, found, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	layers, err := c.ImageSave(context.Background(), []string{record.Image.ID})
	if err != nil {
		t.Fatal(err)
	}
	defer layers.Close()
	if found, err := key.Scan(layers); found || err != nil {
		t.Errorf("the builder image: the private half is in it: %v, %v", found, err)
	}
}
