package provenance

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"namibuild/builder/artifact"
	"namibuild/builder/buildroot"
	"namibuild/builder/hosttest"
	"namibuild/builder/plan"
	"namibuild/builder/recipe"
)

var update = flag.Bool("update", false, "rewrite the golden")

func input() Input {
	built := artifact.Set{RPMs: []artifact.RPM{
		{File: "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm", SHA256: strings.Repeat("1", 64)},
		{File: "kernel-firmware-2.6.32-431.3.1.namibuild.el6.x86_64.rpm", SHA256: strings.Repeat("2", 64)},
	}}
	signed := artifact.Set{RPMs: []artifact.RPM{built.RPMs[0], built.RPMs[1]}}
	signed.RPMs[0].SHA256 = strings.Repeat("3", 64)
	return Input{
		PlanID: strings.Repeat("9", 64),
		Plan: plan.Plan{
			Name: "timewait", Source: recipe.Source{URL: "http://vault.centos.org/kernel.src.rpm"},
			SRPM: plan.SRPM{File: "kernel.src.rpm", SHA256: strings.Repeat("4", 64), Epoch: 1388793600}, Tag: "namibuild",
			Edits:   []recipe.Edit{{File: "include/net/tcp.h", Find: "(60*HZ)\n", Replace: "(5*HZ) /* <&> */\n", Times: 1}},
			Patches: []plan.Patch{{File: "quiet.patch", Strip: 1, SHA256: strings.Repeat("5", 64)}},
			Sources: []plan.Added{{File: "our.config", As: "config-local", SHA256: strings.Repeat("6", 64)}},
			Image:   "centos6", ImageDigest: strings.Repeat("7", 64), Hostname: "namibuild",
			Env: []plan.Var{{Name: "TZ", Value: "UTC", Reason: "dates without a time zone"}}, Args: []string{"-bb"}, Jobs: 2, MemoryBytes: 4 << 30,
		},
		Set: signed, Built: built, Entropy: "rngd in a sidecar container", Version: "v1.0.0",
		Image: Image{"namibuild/centos6:0", "sha256:" + strings.Repeat("8", 64), "centos:6.10@sha256:" + strings.Repeat("a", 64)},
		Root: buildroot.Root{Distribution: "centos", Release: "6.5", Packages: []buildroot.Package{
			{Kind: "rpm", Name: "gcc", Version: "4.4.7-4.el6", Arch: "x86_64", SHA256: strings.Repeat("b", 64)},
			{Kind: "rpm", Name: "perl", Version: "4:5.10.1-136.el6", Arch: "x86_64"},
		}},
		Started: time.Unix(1800000000, 0), Finished: time.Unix(1800000300, 0),
		Caveats:    map[string]string{"unproven": "it has no proof.json"},
		Byproducts: []File{{"build.log", strings.Repeat("c", 64)}},
	}
}

func mustState(t *testing.T, in Input) Statement {
	t.Helper()
	s, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStatement(t *testing.T) {
	s := mustState(t, input())
	if again := mustState(t, input()); !bytes.Equal(s.JSON(), again.JSON()) {
		t.Error("two statements about one set differ")
	}
	var page bytes.Buffer
	if err := json.Indent(&page, s.JSON(), "", " "); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "timewait.json")
	if *update {
		if err := os.WriteFile(file, append(page.Bytes(), '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(append(page.Bytes(), '\n'), want) {
		t.Errorf("%s differs (%v); go test -update rewrites it, git diff shows how", file, err)
	}
	subjects, err := s.Subjects()
	if d := cmp.Diff([]File{{input().Set.RPMs[0].File, strings.Repeat("3", 64)}, {input().Set.RPMs[1].File, strings.Repeat("2", 64)}}, subjects); d != "" || err != nil {
		t.Errorf("subjects: %v\n%s", err, d)
	}
}

// TestPlanIsComplete checks that each field of a plan is in one of the two kinds of
// parameters.
func TestPlanIsComplete(t *testing.T) {
	in := input()
	in.Plan.Insecure = "the package is not signed"
	external, internal, err := in.parameters()
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(in.Plan)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for key, value := range all {
		e, outer := external[key]
		i, inner := internal[key]
		if outer == inner || !cmp.Equal(value, map[bool]any{true: e, false: i}[outer]) {
			t.Errorf("%s: external %v %v, internal %v %v", key, outer, e, inner, i)
		}
	}
	if len(external)+len(internal) != len(all)+3 { // planID, entropy, caveats
		t.Errorf("%d and %d parameters of a plan with %d", len(external), len(internal), len(all))
	}
}

// TestTimesAreOnlyOfTheRun checks that other times change nothing but the metadata.
func TestTimesAreOnlyOfTheRun(t *testing.T) {
	var all [2]map[string]any
	for i := range all {
		in := input()
		in.Started, in.Finished = in.Started.Add(time.Duration(i)*time.Hour), in.Finished.Add(time.Duration(i)*time.Hour)
		if err := json.Unmarshal(mustState(t, in).JSON(), &all[i]); err != nil {
			t.Fatal(err)
		}
		details := all[i]["predicate"].(map[string]any)["runDetails"].(map[string]any)
		if details["metadata"] == nil {
			t.Error("no metadata")
		}
		delete(details, "metadata")
	}
	if d := cmp.Diff(all[0], all[1]); d != "" {
		t.Error(d)
	}
	in := input()
	in.Started, in.Finished = time.Time{}, time.Time{}
	if bytes.Contains(mustState(t, in).JSON(), []byte("metadata")) {
		t.Error("got metadata without times")
	}
}

func TestNewErrors(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Input)
		want   string
	}{
		"no package": {func(in *Input) { in.Set.RPMs = nil }, "at least one subject required"},
		"digest":     {func(in *Input) { in.Set.RPMs[0].SHA256 = "12" }, "digest has incorrect length"},
		"no digest":  {func(in *Input) { in.Set.RPMs[0].SHA256 = "" }, "at least one digest required"},
		"source":     {func(in *Input) { in.Plan.SRPM.SHA256 = strings.Repeat("x", 64) }, "not valid hex-encoded"},
	} {
		in := input()
		test.change(&in)
		if _, err := New(in); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
}

func newKey(t *testing.T) (*rsa.PrivateKey, Signer, Verifier) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(_ context.Context, data []byte) ([]byte, error) {
		sum := sha256.Sum256(data)
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	}
	verify := func(data, signature []byte) error {
		sum := sha256.Sum256(data)
		return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature)
	}
	return key, Signer{"AB12", sign}, Verifier{"AB12", verify}
}

// TestEnvelope checks that signing twice gives the same envelope, and has openssl
// verify its signature over DSSE's encoding.
func TestEnvelope(t *testing.T) {
	key, signer, verifier := newKey(t)
	s := mustState(t, input())
	envelope, err := s.Sign(t.Context(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Sign(t.Context(), signer); !bytes.Equal(envelope, again) || err != nil {
		t.Errorf("signed again: %v", err)
	}
	got, err := Verify(t.Context(), envelope, verifier)
	if err != nil || !bytes.Equal(got.JSON(), s.JSON()) {
		t.Errorf("got %s, %v", got.JSON(), err)
	}
	var e dsse.Envelope
	if err := json.Unmarshal(envelope, &e); err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	if err != nil || e.Signatures[0].KeyID != "AB12" || len(e.Signatures) != 1 {
		t.Fatalf("%+v, %v", e.Signatures, err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"key": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), "sig": signature, "pae": dsse.PAE(PayloadType, s.JSON()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	openssl := exec.Command(hosttest.Program(t, "openssl"), "dgst", "-sha256", "-verify", "key", "-signature", "sig", "pae")
	openssl.Dir = dir
	if out, err := openssl.CombinedOutput(); err != nil || string(out) != "Verified OK\n" {
		t.Errorf("openssl: %v\n%s", err, out)
	}
}

func TestSignErrors(t *testing.T) {
	gone := errors.New("the agent is gone")
	_, err := mustState(t, input()).Sign(t.Context(), Signer{"AB12", func(context.Context, []byte) ([]byte, error) { return nil, gone }})
	if !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

func TestVerifyErrors(t *testing.T) {
	_, signer, verifier := newKey(t)
	_, _, other := newKey(t)
	statement := mustState(t, input())
	envelope := func(change func(*dsse.Envelope)) []byte {
		data, err := statement.Sign(t.Context(), signer)
		if err != nil {
			t.Fatal(err)
		}
		var e dsse.Envelope
		if err := json.Unmarshal(data, &e); err != nil {
			t.Fatal(err)
		}
		change(&e)
		if data, err = json.Marshal(e); err != nil {
			t.Fatal(err)
		}
		return data
	}
	resigned := func(from, to string) []byte {
		data, err := Statement{bytes.Replace(statement.JSON(), []byte(from), []byte(to), 1)}.Sign(t.Context(), signer)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	good := envelope(func(*dsse.Envelope) {})
	for name, test := range map[string]struct {
		envelope []byte
		by       Verifier
		want     string
	}{
		"another key":         {good, other, "no good signature by this key"},
		"another fingerprint": {good, Verifier{"CD34", verifier.Raw}, "no good signature by this key"},
		"no signature":        {envelope(func(e *dsse.Envelope) { e.Signatures = nil }), verifier, "no signature found"},
		"another payload": {envelope(func(e *dsse.Envelope) {
			e.Payload = base64.StdEncoding.EncodeToString(bytes.Replace(statement.JSON(), []byte(strings.Repeat("3", 64)), []byte(strings.Repeat("d", 64)), 1))
		}), verifier, "no good signature by this key"},
		"another type":      {envelope(func(e *dsse.Envelope) { e.PayloadType = "text/plain" }), verifier, `its payload is "text/plain"`},
		"half":              {good[:len(good)/2], verifier, "unexpected EOF"},
		"more":              {append(bytes.Clone(good), "{}"...), verifier, "data follows the envelope"},
		"another field":     {[]byte(`{"payloads": ""}`), verifier, "unknown field"},
		"another build":     {resigned(BuildType, "urn:namibuild:build:2"), verifier, "its build is of another type: urn:namibuild:build:2"},
		"another predicate": {resigned(PredicateType, "https://slsa.dev/provenance/v0.2"), verifier, "want https://slsa.dev/provenance/v1"},
		"no statement":      {resigned(`"subject"`, `"subjects"`), verifier, "unknown field"},
	} {
		if _, err := Verify(t.Context(), test.envelope, test.by); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, test.want)
		}
	}
}

// FuzzVerify accepts every signature. It checks that nothing panics, and that a
// statement without an error has subjects.
func FuzzVerify(f *testing.F) {
	good := Verifier{"", func(_, _ []byte) error { return nil }}
	s, err := New(input())
	if err != nil {
		f.Fatal(err)
	}
	envelope, err := s.Sign(context.Background(), Signer{"", func(context.Context, []byte) ([]byte, error) { return []byte{1}, nil }})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(envelope)
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Verify(t.Context(), data, good)
		if err != nil {
			return
		}
		if subjects, err := got.Subjects(); err != nil || len(subjects) == 0 {
			t.Errorf("%d subjects, %v", len(subjects), err)
		}
	})
}
