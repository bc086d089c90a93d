package sandbox

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// Pictures are drawn, not stored: a profile picture is a head and shoulders in
// the person's colours, a post is waves in them.

func (p person) pictureName() string { return "person/" + p.username + ".png" }
func (m post) pictureName() string   { return "post/" + m.id + ".png" }

func (c *call) pictureURL(name string) string { return c.base() + "/" + c.d.pictureHost + "/" + name }

// picture serves one PNG; no token is asked for, as at the real place.
func (c *call) picture(name string) {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		c.methods("GET, HEAD")
		return
	}
	raw := drawn(name)
	if raw == nil {
		c.notFound()
		return
	}
	c.w.Header().Set("Content-Type", "image/png")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	_, _ = c.w.Write(raw)
}

// drawn is the picture of that name, or nil.
func drawn(name string) []byte {
	for _, p := range people {
		if name == p.pictureName() {
			return encoded(portrait(p))
		}
		for _, m := range p.posts {
			if name == m.pictureName() {
				return encoded(waves(p, m))
			}
		}
	}
	if username, ok := strings.CutSuffix(strings.TrimPrefix(name, "person/"), ".png"); ok {
		if p, known := personNamed(username); known && name == p.pictureName() {
			return encoded(portrait(p))
		}
	}
	return nil
}

func encoded(m image.Image) []byte {
	var out bytes.Buffer
	if png.Encode(&out, m) != nil {
		return nil
	}
	return out.Bytes()
}

func portrait(p person) image.Image {
	const size = 160
	m := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{p.ground, p.figure})
	for y := range size {
		for x := range size {
			dx, dy := float64(x-size/2), float64(y)
			head := math.Hypot(dx, dy-62) < 28
			shoulders := math.Hypot(dx/1.15, dy-150) < 48
			if head || shoulders {
				m.SetColorIndex(x, y, 1)
			}
		}
	}
	return m
}

func waves(p person, post post) image.Image {
	const size, shades = 320, 12
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(post.code)))
	phase := float64(h.Sum32()%628) / 100
	palette := make(color.Palette, shades)
	for i := range palette {
		palette[i] = between(p.ground, p.figure, float64(i)/(shades-1))
	}
	m := image.NewPaletted(image.Rect(0, 0, size, size), palette)
	for y := range size {
		for x := range size {
			v := math.Sin(float64(x)/47+phase) + math.Sin(float64(y)/31+phase*2+float64(x)/90)
			m.SetColorIndex(x, y, uint8((v+2)/4*(shades-1)+0.5))
		}
	}
	return m
}

func between(a, b color.RGBA, t float64) color.RGBA {
	mix := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*t) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}
