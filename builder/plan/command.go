package plan

// Modes are what the container's script has rpmbuild do, one after the other.
type Modes string

// rpmbuild's modes.
const (
	Binary     Modes = "-bb"
	Source     Modes = "-bs"
	SourceToo  Modes = "-bs -bb"
	sourceForm       = "_source_payload w6.gzdio" // every rpm can read it, that of EL6 too
)

// Command is what the container's script gets: the modes, and the plan's
// arguments for all of them. Packages come out the same whether the SRPM is
// made before them or not.
func (p Plan) Command(m Modes) []string {
	command := []string{string(m)}
	if m != Binary {
		command = append(command, "--define", sourceForm)
	}
	return append(command, p.Args[1:]...) // without its -bb
}
