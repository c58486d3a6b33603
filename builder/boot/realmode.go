package boot

// RealMode returns a file in the format of a kernel
// (Documentation/arch/x86/boot.rst) that runs these 16-bit instructions where a
// boot loader enters it. A probe or a test can boot it.
func RealMode(code ...byte) []byte {
	k := make([]byte, 8<<10)
	k[0x1f1] = 1                                    // setup_sects
	copy(k[0x1fe:], "\x55\xaa")                     // boot_flag
	copy(k[0x200:], "\xeb\x66HdrS\x06\x02")         // a jump over the header; protocol 2.6
	k[0x211] = 0x01                                 // LOADED_HIGH
	copy(k[0x22c:], "\xff\xff\xff\x7f\xff\x0f\x00") // initrd_addr_max, cmdline_size
	copy(k[0x268:], code)
	return k
}
