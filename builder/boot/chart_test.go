package boot

import (
	"bytes"
	"image/png"
	"testing"
)

func TestScale(t *testing.T) {
	for top, want := range map[float64][2]float64{1: {1, 1}, 6: {1, 6}, 10: {2, 5}, 550: {100, 6}, 2250: {500, 5}, 44000: {10000, 5}} {
		if step, steps := scale(top); [2]float64{step, float64(steps)} != want {
			t.Errorf("%v: got %d steps of %v, want %v", top, steps, step, want)
		}
	}
}

func TestSecondLabels(t *testing.T) {
	for seconds, want := range map[int]int{1: 2, 10: 11, 60: 7, 150: 11, 151: 0, 3600: 7} {
		if got := secondLabels(seconds); got != want {
			t.Errorf("%d seconds: got %d labels, want %d", seconds, got, want)
		}
	}
}

// TestChartOfAnyLength draws the shortest and the longest traffic, and one of a
// length that no round step divides.
func TestChartOfAnyLength(t *testing.T) {
	for _, seconds := range []int{1, 151, 3600} {
		r := Report{Traffic: Traffic{40000, 1000, seconds}, Stock: Course{Release: "stock", TimeWait: 60}, Patched: Course{Release: "patched", TimeWait: 5}}
		for s := range int64(seconds) + 1 {
			r.Stock.Samples = append(r.Stock.Samples, Sample{s, 40000, 1000 * s, 500 * s})
			r.Patched.Samples = append(r.Patched.Samples, Sample{s, 5000, 1000 * s, 0})
		}
		svg, picture, err := r.chart()
		if err != nil || !bytes.Contains(svg, []byte("seconds of the guest's clock")) {
			t.Errorf("%d seconds: %d bytes of SVG, %v", seconds, len(svg), err)
		}
		if img, err := png.Decode(bytes.NewReader(picture)); err != nil || img.Bounds().Dx() != chartWidth {
			t.Errorf("%d seconds: %v", seconds, err)
		}
	}
}
