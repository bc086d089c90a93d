package redirect

var bodies = map[string]func() int{}
