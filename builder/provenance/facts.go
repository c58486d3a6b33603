package provenance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"namibuild/builder/artifact"
)

// ours are the parts of a plan that namibuild decides; the rest is what was
// asked for, by the recipe or on the command line.
var ours = []string{
	"image", "imageDigest", "hostname", "user", "userName", "topdir", "env", "args", "pins", "srpm", "insecure",
}

// parameters splits the plan. Whatever a plan has is in one of the two.
func (in Input) parameters() (external, internal object, err error) {
	data, err := json.Marshal(in.Plan)
	if err != nil {
		return nil, nil, err
	}
	external, internal = object{}, object{"planID": in.PlanID, "entropy": in.Entropy}
	if err := json.Unmarshal(data, &external); err != nil {
		return nil, nil, err
	}
	for _, key := range ours {
		if v, ok := external[key]; ok {
			internal[key] = v
			delete(external, key)
		}
	}
	if len(in.Caveats) > 0 {
		internal["caveats"] = in.Caveats
	}
	return external, internal, nil
}

// descriptor is in-toto's ResourceDescriptor; what is empty is left out.
func descriptor(name, uri, sha256 string, more object) object {
	d := object{}
	for key, value := range map[string]string{"name": name, "uri": uri} {
		if value != "" {
			d[key] = value
		}
	}
	if sha256 != "" {
		d["digest"] = object{"sha256": sha256}
	}
	maps.Copy(d, more)
	return d
}

// files are the packages of a set.
func files(s artifact.Set) array {
	all := array{}
	for _, r := range s.RPMs {
		all = append(all, descriptor(r.File, "", r.SHA256, nil))
	}
	return all
}

// dependencies are what the build took, by digest.
func (in Input) dependencies() array {
	p := in.Plan
	more := object{"mediaType": "application/x-rpm"}
	if p.Source.URL != "" {
		more["downloadLocation"] = p.Source.URL
	}
	all := array{descriptor(p.SRPM.File, "", p.SRPM.SHA256, more)}
	for _, patch := range p.Patches {
		all = append(all, descriptor(patch.File, "", patch.SHA256, nil))
	}
	for _, a := range p.Sources {
		all = append(all, descriptor(a.File, "", a.SHA256, nil))
	}
	all = append(all,
		descriptor("definition of the builder image "+p.Image, "", p.ImageDigest, nil),
		descriptor("builder image", in.Image.Ref, strings.TrimPrefix(in.Image.ID, "sha256:"), nil),
	)
	if in.Image.Base != "" {
		all = append(all, descriptor("base of the builder image", in.Image.Base, "", nil))
	}
	for _, p := range in.Root.Packages {
		all = append(all, descriptor(p.Name, in.Root.PURL(p), p.SHA256, nil))
	}
	return all
}

// run is SLSA's runDetails.
func (in Input) run() object {
	by := object{"id": LocalBuilder}
	if in.Builder != "" {
		by["id"] = in.Builder
	}
	if in.Version != "" {
		by["version"] = object{"namibuild": in.Version}
	}
	details := object{"builder": by}
	times := object{}
	for name, at := range map[string]time.Time{"startedOn": in.Started, "finishedOn": in.Finished} {
		if !at.IsZero() {
			times[name] = at.UTC().Format(time.RFC3339)
		}
	}
	if len(times) > 0 {
		details["metadata"] = times
	}
	if products := in.byproducts(); len(products) > 0 {
		details["byproducts"] = products
	}
	return details
}

// byproducts are the other files of the set, and the packages as they were
// before they were signed.
func (in Input) byproducts() array {
	var all array
	for _, f := range in.Byproducts {
		all = append(all, descriptor(f.Name, "", f.SHA256, nil))
	}
	for _, r := range in.Built.RPMs {
		if !slices.Contains(in.Set.RPMs, r) {
			all = append(all, descriptor(r.File+", not signed", "", r.SHA256, nil))
		}
	}
	return all
}
