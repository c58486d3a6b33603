package plan

// Modes are the modes in which the container's script runs rpmbuild, one after the
// other.
type Modes string

// The modes of rpmbuild.
const (
	Binary     Modes = "-bb"
	Source     Modes = "-bs"
	SourceToo  Modes = "-bs -bb"
	sourceForm       = "_source_payload w6.gzdio" // every rpm can read it, also that of EL6
)

// Command returns the arguments of the container's script: the modes, and the
// plan's arguments, which are the same in each mode. The packages are the same
// whether an SRPM is made before them or not.
func (p Plan) Command(m Modes) []string {
	command := []string{string(m)}
	if m != Binary {
		command = append(command, "--define", sourceForm)
	}
	return append(command, p.Args[1:]...) // Args[0] is -bb
}
