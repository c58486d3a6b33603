package rpm

import "fmt"

// Relation is a kind of dependency.
type Relation int

// Relations of a package.
const (
	Provides Relation = iota
	Requires
	Conflicts
	Obsoletes
	Suggests
	Enhances
	Recommends
	Supplements
)

// relationTags are the parallel lists of each relation.
var relationTags = [...]struct{ name, flags, version Tag }{
	Provides:    {TagProvideName, TagProvideFlags, TagProvideVersion},
	Requires:    {TagRequireName, TagRequireFlags, TagRequireVersion},
	Conflicts:   {TagConflictName, TagConflictFlags, TagConflictVersion},
	Obsoletes:   {TagObsoleteName, TagObsoleteFlags, TagObsoleteVersion},
	Suggests:    {TagSuggestName, TagSuggestFlags, TagSuggestVersion},
	Enhances:    {TagEnhanceName, TagEnhanceFlags, TagEnhanceVersion},
	Recommends:  {TagRecommendName, TagRecommendFlags, TagRecommendVersion},
	Supplements: {TagSupplementName, TagSupplementFlags, TagSupplementVersion},
}

// Sense is the flags of a dependency (rpm's rpmsenseFlags).
type Sense uint32

// Flags of a dependency: how versions compare, and what a requirement is for.
const (
	SenseLess       Sense = 1 << 1
	SenseGreater    Sense = 1 << 2
	SenseEqual      Sense = 1 << 3
	SensePrereq     Sense = 1 << 6
	SenseScriptPre  Sense = 1 << 9
	SenseScriptPost Sense = 1 << 10
	SenseMissingOK  Sense = 1 << 19
)

// Dependency is one relation to a name, which is that of a package, a capability or
// a file. Version is [epoch:]version[-release], or empty if any version will do.
type Dependency struct {
	Name    string
	Flags   Sense
	Version string
}

// Dependencies returns the package's dependencies of one kind in the header's order.
// It fails if the header's lists differ in length.
func (p *Package) Dependencies(kind Relation) ([]Dependency, error) {
	tags := relationTags[kind]
	names := p.Header.Strings(tags.name)
	l := parallel{count: len(names), of: "names"}
	flags, versions := l.ints(p.Header, tags.flags), l.texts(p.Header, tags.version)
	if l.err != nil {
		return nil, fmt.Errorf("reading dependencies: %w", l.err)
	}
	list := make([]Dependency, len(names))
	for i, name := range names {
		list[i] = Dependency{name, Sense(flags[i]), versions[i]}
	}
	return list, nil
}
