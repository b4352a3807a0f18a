package page

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser is a tab with a report, and what went wrong in it.
type browser struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string
	messages []string
	ended    chan struct{} // theEnd is on the console, and so all that came before
}

const theEnd = "the test is over"

// open shows a report in headless Chromium.
func open(t *testing.T, r *Report) *browser {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" || testing.Short() {
		t.Skip("needs Chromium, and some seconds (not with -short)")
	}
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(written(t, r)), 0o666); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &browser{T: t, ctx: ctx, ended: make(chan struct{})}
	b.do(chromedp.EmulateViewport(1200, 900))
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	must(err)
	console := chromedp.Console(ctx)
	go func() {
		for m, err := range console {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.messages = append(b.messages, m.Text)
			b.mu.Unlock()
			if m.Text == theEnd {
				close(b.ended)
				return
			}
		}
	}()
	must(chromedp.Listen(ctx, func(event any) {
		if e, is := event.(*network.EventRequestWillBeSent); is && !strings.HasPrefix(e.Request.URL, "data:") {
			b.mu.Lock()
			b.requests = append(b.requests, e.Request.URL)
			b.mu.Unlock()
		}
	}))
	b.do(chromedp.Navigate("file://" + path))
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// text is the value of an expression.
func (b *browser) text(expression string) string {
	b.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return got
}

func (b *browser) want(expression, want string) {
	b.Helper()
	if got := b.text(expression); got != want {
		b.Errorf("%s is %q, want %q", expression, got, want)
	}
}

// quiet checks that the page asked for nothing but itself, and that nothing was said on the console.
func (b *browser) quiet() {
	b.Helper()
	b.text(`console.log("` + theEnd + `")`)
	select {
	case <-b.ended:
	case <-b.ctx.Done():
		b.Fatal("the console is silent")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) != 1 || !strings.HasPrefix(b.requests[0], "file:") {
		b.Errorf("requests %q", b.requests)
	}
	if len(b.messages) > 1 {
		b.Errorf("the console has %q", b.messages)
	}
}

// TestInBrowser: cells open their photos, by mouse and by keyboard, the slider's figures follow it, and nothing goes wrong or out.
func TestInBrowser(t *testing.T) {
	r := sample(t, 7, 30)
	b := open(t, r)
	const cell, dialog = `#matrix button[data-true="2"][data-answer="2"]`, `document.getElementById("photos")`
	right := r.Confusion[2][2]
	b.do(chromedp.Click(chromedp.CSS(cell)))
	b.want(dialog+".open", "true")
	b.want(`document.querySelectorAll("#photos-list figure").length`, fmt.Sprint(right))
	b.want(`[...document.querySelectorAll("#photos-list img")].filter(i => i.complete && i.naturalWidth > 0 && i.alt.includes("class 2")).length`, fmt.Sprint(right))
	b.want(`document.getElementById("photos-title").textContent`, r.Classes[2]+", recognised")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.want(dialog+".open", "false")
	b.want(`document.activeElement.matches('`+cell+`')`, "true") // where one was

	// Arrow keys go to the next number in their direction, and Enter opens it.
	row, column := 2, 2
	const at = `document.activeElement.dataset.true + " " + document.activeElement.dataset.answer`
	for column++; r.Confusion[row][column] == 0; column++ {
	}
	b.do(chromedp.KeyEvent(kb.ArrowRight))
	b.want(at, fmt.Sprint(row, column))
	for row++; r.Confusion[row][column] == 0; row++ {
	}
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	b.want(at, fmt.Sprint(row, column))
	b.do(chromedp.KeyEvent(kb.Enter))
	b.want(`document.querySelectorAll("#photos-list figure").length`, fmt.Sprint(r.Confusion[row][column]))
	b.do(chromedp.KeyEvent(kb.Escape))
	b.want(`document.querySelectorAll("#matrix button[tabindex='0']").length`, "1")

	// Tab reaches the matrix without a mouse.
	b.text(`(document.activeElement.blur(), document.querySelector(".skip").focus())`)
	reached := false
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if reached = b.text(`document.activeElement.closest("#matrix") !== null`) == "true"; reached {
			break
		}
	}
	if !reached {
		t.Error("the tab key does not reach the matrix")
	}

	all := r.outcomes()
	for _, step := range []int{0, 400, 700, 950, 1000} {
		b.text(fmt.Sprintf(`(s => { s.value = %d; s.dispatchEvent(new Event("input")); })(document.getElementById("threshold"))`, step))
		b.want(`document.getElementById("coverage").textContent`, percent(float64(all[step].Answered)/float64(len(r.Judged))))
		want := "–"
		if all[step].Answered > 0 {
			want = percent(float64(all[step].Right) / float64(all[step].Answered))
		}
		b.want(`document.getElementById("precision").textContent`, want)
	}
	b.do(chromedp.Focus(chromedp.CSS("#threshold")), chromedp.KeyEvent(kb.ArrowLeft))
	b.want(`document.getElementById("at").textContent`, "0.999")

	before := b.text(`getComputedStyle(document.body).backgroundColor`)
	b.do(chromedp.Click(chromedp.CSS("#theme")))
	if b.text(`getComputedStyle(document.body).backgroundColor`) == before {
		t.Error("the theme does not change")
	}
	b.do(chromedp.Click(chromedp.CSS(`button[data-list="wrong"]`)))
	b.want(`document.querySelectorAll("#photos-list figure").length`, fmt.Sprint(len(r.Judged)-r.Right))
	b.quiet()
}

// TestPolicy: whatever got into a page, the browser would run and load nothing that is not the page's own.
func TestPolicy(t *testing.T) {
	b := open(t, sample(t, 2, 3))
	b.text(`(document.addEventListener("securitypolicyviolation", e => (window.refused ||= []).push(e.effectiveDirective)),
		document.body.append(Object.assign(document.createElement("script"), {textContent: "window.ran = true"})),
		document.body.append(Object.assign(document.createElement("img"), {src: "http://127.0.0.1:1/photo.jpg"})), 0)`)
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](`window.refused && window.refused.length >= 2`)); err != nil {
		t.Fatal(err)
	}
	b.want(`window.refused.sort().join(" ")`, "img-src script-src-elem")
	b.want(`window.ran`, "undefined")
}

// speck is a PNG of one pixel.
var speck = []byte{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89,
	0, 0, 0, 13, 'I', 'D', 'A', 'T', 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0, 5, 0, 1, 0xff, 0x89, 0x99, 0x3d, 0x1d, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82}

// TestOverlays: where photos have maps, a switch lays them over, and stays in sight beside them.
func TestOverlays(t *testing.T) {
	r := sample(t, 2, 10)
	for _, p := range r.Judged {
		p.Overlay = speck
	}
	b := open(t, r)
	const shown = `[...document.querySelectorAll(".overlay")].filter(i => i.offsetWidth > 0).length`
	b.want(shown, "0")
	b.do(chromedp.Click(chromedp.CSS("#overlays")))
	n := b.text(`document.querySelectorAll(".gallery .overlay").length`)
	b.want(shown, n)
	b.text(`document.getElementById("uncertain").scrollIntoView({behavior: "instant"})`)
	const top, heading = `document.querySelector(".switch").getBoundingClientRect()`, `document.querySelector("#uncertain h2").getBoundingClientRect()`
	b.want(top+".top >= 0 && "+top+".bottom <= "+heading+".top && "+heading+".bottom < innerHeight", "true")
	b.do(chromedp.Click(chromedp.CSS("#matrix button")))
	b.want(`document.querySelectorAll("#photos-list .overlay").length`, fmt.Sprint(r.Confusion[0][0]))
	b.quiet()
}

// TestNarrowScreens: a phone has nothing to scroll sideways but tables.
func TestNarrowScreens(t *testing.T) {
	r := sample(t, 200, 2)
	r.Cautions, r.Judged[0].Overlay = []string{strings.Repeat("long", 100)}, speck
	b := open(t, r)
	b.do(chromedp.EmulateViewport(390, 844))
	b.want(`[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > 391 && !e.closest(".scroll"))
		.map(e => e.tagName + "." + e.className).join(" ")`, "")
	b.want(`document.documentElement.scrollWidth`, "390")
	b.want(`[...document.querySelectorAll(".plot > svg")].filter(s => s.clientWidth > 0 && getComputedStyle(s).overflowX !== "visible"
		&& [...s.querySelectorAll("text")].some(e => e.getBoundingClientRect().left < s.getBoundingClientRect().left)).length`, "0")
	b.want(`document.querySelectorAll("#matrix tbody tr").length`, fmt.Sprint(mostColumns))
	b.quiet()
}

// contrast lists the texts of the page whose contrast with what is behind them is below 4.5, as WCAG 2.2 computes it.
const contrast = `(() => {
	const parse = text => {
		const n = text.match(/[\d.]+/g).map(Number);
		return text.startsWith("color(srgb") ? [...n.slice(0, 3), n[3] ?? 1] : [n[0] / 255, n[1] / 255, n[2] / 255, n[3] ?? 1];
	};
	const light = c => {
		const [r, g, b] = c.slice(0, 3).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const bad = [];
	for (const e of document.querySelectorAll("body *")) {
		const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
		if (!own || !e.checkVisibility() || e.matches(".none, script, title")) continue;
		let at = e;
		while (at && parse(getComputedStyle(at).backgroundColor)[3] === 0) at = at.parentElement;
		const style = getComputedStyle(e);
		const a = light(parse(e instanceof SVGElement ? style.fill : style.color)), b = light(parse(getComputedStyle(at || document.body).backgroundColor));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) bad.push(e.tagName + "." + e.getAttribute("class") + " " + ratio.toFixed(2));
	}
	return bad.join("\n");
})()`

// TestContrast: every text can be read in both themes, on all shades of the matrix.
func TestContrast(t *testing.T) {
	r := sample(t, 12, 3)
	r.Advice, r.Cautions = []string{"advice"}, []string{"caution"}
	r.Confusion = nil
	for i := range 12 { // every shade of right and of wrong
		row := make([]int, 12)
		row[i], row[(i+1)%12] = min(i, 10)*10, 100-min(i, 10)*10
		r.Confusion = append(r.Confusion, row)
	}
	b := open(t, r)
	for _, theme := range []string{"light", "dark"} {
		b.text(`document.documentElement.dataset.theme = "` + theme + `"`)
		for shade := 1; shade <= 10; shade++ {
			for _, kind := range []string{"right", "wrong"} {
				if n := b.text(fmt.Sprintf(`document.querySelectorAll("#matrix .%s.s%d").length`, kind, shade)); kind == "right" && n == "0" {
					t.Errorf("no %s cell of shade %d", kind, shade)
				}
			}
		}
		b.text(`[...document.querySelectorAll("#matrix .wrong")].forEach((c, i) => c.className = "wrong s" + (i % 10 + 1))`)
		if bad := b.text(contrast); bad != "" {
			t.Errorf("%s: %s", theme, bad)
		}
	}
}
