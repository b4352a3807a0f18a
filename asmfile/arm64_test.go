package asmfile

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestARM64 spells lines for arm64: what waits for its neighbour, addresses that are not made twice, and those that must be.
func TestARM64(t *testing.T) {
	for name, c := range map[string]struct{ lines, want []string }{
		"general": {
			[]string{"MOVQ 8(DI), SI", "DECQ 24(DI)", "CMOVQLE AX, R15", "CMPQ R9, SI", "JLE out", "LEAQ (R8)(R13*4), R9"},
			[]string{"MOVD 8(R0), R1", "MOVD 24(R0), R16", "SUBS $1, R16", "MOVD R16, 24(R0)", "CSEL LE, R4, R15, R15", "CMP R1, R9", "BLE out",
				"ADD R13<<2, R8, R9"},
		},
		"pairs": {
			[]string{"ldr q1, (AX)", "ldr q2, 16(AX)", "ldr q3, 32(AX)", "ldr q3, 48(AX)", "str q4, 64(AX)", "str q5, 80(AX)", "ldr q6, 1024(AX)",
				"ldr q7, 1040(AX)", "ADDQ $64, AX", "ldr q8, 64(AX)"},
			[]string{"ldp q1, q2, [x4]", "ldr q3, [x4,#32]", "ldr q3, [x4,#48]", "stp q4, q5, [x4,#64]", "ldr q6, [x4,#1024]", "ldr q7, [x4,#1040]",
				"ADDS $64, R4", "ldr q8, [x4,#64]"},
		},
		"addresses": {
			[]string{"ldr q1, (AX)(R11*1)", "ldr q2, (AX)(R11*2)", "ldr q3, 16(AX)(R11*2)", "ldr q4, (AX)(R14*2)", "ADDQ $64, AX", "ldr q5, (AX)(R14*2)"},
			[]string{"ldr q1, [x4,x11]", "ADD R11<<1, R4, R17", "ldp q2, q3, [x17]", "ADD R14<<1, R4, R17", "ldr q4, [x17]", "ADDS $64, R4",
				"ADD R14<<1, R4, R17", "ldr q5, [x17]"},
		},
		"addresses of what changes": {
			[]string{"ldr q1, 16(AX)(R11*2)", "LEAQ (AX)(R13*1), AX", "ldr q2, 16(AX)(R11*2)", "ADDQ 16(AX)(R11*2), AX", "ldr q3, 16(AX)(R11*2)"},
			[]string{"ADD R11<<1, R4, R17", "ldr q1, [x17,#16]", "ADD R13, R4, R4", "ADD R11<<1, R4, R17", "ldr q2, [x17,#16]",
				"ADD R11<<1, R4, R17", "MOVD 16(R17), R16", "ADDS R16, R4", "ADD R11<<1, R4, R17", "ldr q3, [x17,#16]"},
		},
		"addresses that go on": {
			[]string{"ldr q1, 16(AX)(R11*2)", "st1 {v1.d}[1], (AX), DX", "ldr q2, 16(AX)(R11*2)", "ld1 {v3.16b}, (BX),#16"},
			[]string{"ADD R11<<1, R4, R17", "ldr q1, [x17,#16]", "st1 {v1.d}[1], [x4], x2", "ADD R11<<1, R4, R17", "ldr q2, [x17,#16]",
				"ld1 {v3.16b}, [x5],#16"},
		},
		"parts of registers": {
			[]string{"ldr d1, 8(AX)", "ldr d1, 12(AX)", "ldr s1, 12(AX)", "dup v1.4s, R13"},
			[]string{"ldr d1, [x4,#8]", "ldur d1, [x4,#12]", "ldr s1, [x4,#12]", "dup v1.4s, w13"},
		},
	} {
		s := ARM64.speller()
		var got []string
		for _, line := range c.lines {
			got = append(got, s.spell(line)...)
		}
		got = append(got, s.rest()...)
		for i := range got {
			got[i] = regexp.MustCompile(`^WORD .* // `).ReplaceAllString(got[i], "")
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// TestARM64Lacks: a line that has no spelling is a fault of the generator.
func TestARM64Lacks(t *testing.T) {
	for _, line := range []string{"IMULQ AX, BX", "ADDQ $1, 8(DI)", "VADDPS Y0, Y1, Y2", "fadd v0.4s, v1.4s"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", line)
				}
			}()
			ARM64.speller().spell(line)
		}()
	}
}
