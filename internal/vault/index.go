package vault

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// CheckSentinel tells an empty drawer from another piece of furniture. Every
// library has an item sentinel-<lib>; while it is there, a token that is not
// found is gone. Where it is missing or says something else, the whole keychain
// is a different one (a new computer, a reset password): the problem
// vault.unreadable with reason=changed, and nothing may be concluded or deleted
// (KR-5). A fresh library gets its sentinel here.
func CheckSentinel(ctx context.Context, s Store, lib string, fresh bool) error {
	if err := checkID(lib); err != nil {
		return err
	}
	name := "sentinel-" + lib
	got, err := s.Get(ctx, name)
	switch {
	case errors.Is(err, ErrNotFound) && fresh:
		return putProven(ctx, s, name, secret.New(lib))
	case errors.Is(err, ErrNotFound):
		return unreadable("changed")
	case err != nil:
		return err
	case got.Reveal() != lib:
		return unreadable("changed")
	}
	return nil
}

// The index repeats which tokens there are, since keychains here cannot be
// listed; a lost library is rebuilt from it. An index item is "v1" and ids,
// with one blank before each.
const (
	indexHead = "v1"
	// indexItems bounds a damaged index: 2,400 bytes hold at least 72 ids.
	indexItems = 1000
)

// PutIndex makes the items index-<lib>-0 and following say ids. An id stays in
// the item in which it is and a new one goes where there is room, so that a
// crash between two writes loses none that was known. Items that need no change
// are not written, since each write makes some keychains write everything.
// Callers hold the library's lock.
func PutIndex(ctx context.Context, s Store, lib string, ids []string) error {
	if err := checkID(lib); err != nil {
		return err
	}
	left := map[string]bool{}
	for _, id := range ids {
		if err := checkID(id); err != nil {
			return err
		}
		left[id] = true
	}
	var had, pages []string
	for len(had) < indexItems {
		page, err := s.Get(ctx, indexName(lib, len(had)))
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return err
		}
		had = append(had, page.Reveal())
		kept := indexHead
		// What cannot be read is being replaced: it counts as empty.
		stay, _ := readPage(page)
		for _, id := range stay {
			if left[id] {
				delete(left, id)
				kept += " " + id
			}
		}
		pages = append(pages, kept)
	}
	n := 0
	for _, id := range ids {
		if !left[id] {
			continue
		}
		delete(left, id)
		for n < len(pages) && len(pages[n])+1+len(id) > Limit {
			n++
		}
		if n == len(pages) {
			pages = append(pages, indexHead)
		}
		pages[n] += " " + id
	}
	if len(pages) == 0 {
		pages = []string{indexHead}
	}
	if len(pages) > indexItems {
		return problem.New(problem.VaultTooBig, "limit", strconv.Itoa(Limit))
	}
	for n, page := range pages {
		if n < len(had) && had[n] == page {
			continue
		}
		if err := putProven(ctx, s, indexName(lib, n), secret.New(page)); err != nil {
			return err
		}
	}
	for n := len(pages) - 1; n > 0 && pages[n] == indexHead; n-- {
		if err := s.Delete(ctx, indexName(lib, n)); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// Index reads the ids, each once. ErrNotFound when there is no index;
// vault.unreadable with reason=index for one that makes no sense.
func Index(ctx context.Context, s Store, lib string) ([]string, error) {
	if err := checkID(lib); err != nil {
		return nil, err
	}
	ids, seen := []string{}, map[string]bool{}
	for n := 0; n < indexItems; n++ {
		page, err := s.Get(ctx, indexName(lib, n))
		if errors.Is(err, ErrNotFound) && n > 0 {
			return ids, nil
		}
		if err != nil {
			return nil, err
		}
		found, err := readPage(page)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

func readPage(page secret.Text) ([]string, error) {
	fields := strings.Split(page.Reveal(), " ")
	if fields[0] != indexHead {
		return nil, unreadable("index")
	}
	for _, id := range fields[1:] {
		if checkID(id) != nil {
			return nil, unreadable("index")
		}
	}
	return fields[1:], nil
}

func indexName(lib string, n int) string { return "index-" + lib + "-" + strconv.Itoa(n) }
