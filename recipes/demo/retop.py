# retop.py OLD NEW copies a tar archive from stdin to stdout; the members below the directory OLD come to lie below NEW.
# It streams: nothing but the member at hand is in memory. (bsdtar's -s leaves the members of an @archive alone.)
import sys
import tarfile


def renamed(name, old, new):
    if name != old and not name.startswith(old + "/"):
        sys.exit(f"retop.py: {name} does not lie below {old}")
    return new + name[len(old):]


def main(old, new):
    source = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
    target = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.GNU_FORMAT)
    for member in source:
        member.name = renamed(member.name, old, new)
        if member.islnk():
            member.linkname = renamed(member.linkname, old, new)
        target.addfile(member, source.extractfile(member) if member.isreg() else None)
        # Both archives keep a list of their members; only a reader that seeks needs it.
        source.members = []
        target.members = []
    target.close()


main(*sys.argv[1:])
