package library

import (
	"context"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Several accounts of one answer are written together or not at all, each with
// its own line in the diary, and the row that brought them goes with them.
func TestFinishAllIsOneTransaction(t *testing.T) {
	ctx := context.Background()
	l := opened(t, t.TempDir())
	from := "signin0000000001"
	must(t, l.Begin(ctx, Pending{AccountID: from, Gen: 1}))
	must(t, l.Seal(ctx, from, 1, []byte("sealed")))
	first, second := sampleAccount(), sampleAccount()
	first.ID, first.AppID, first.Grant = from, "", "one"
	second.ID, second.UserID, second.AppID, second.Grant = "second0000000002", "17841400000000999", "gone000000000000", "one"
	both, lines := []Account{first, second}, []Entry{{Event: "signed_in"}, {Event: "signed_in"}}
	if err := l.FinishAll(ctx, from, both, Renewal{}, lines); !problem.Has(err, problem.AppUnknown) {
		t.Fatalf("an app that is gone: %v", err)
	}
	if err := l.FinishAll(ctx, from, both, Renewal{}, lines[:1]); !problem.Has(err, problem.Unexpected) {
		t.Fatalf("a line too few: %v", err)
	}
	accounts, err := l.Accounts(ctx)
	must(t, err)
	rows, err := l.Pendings(ctx)
	must(t, err)
	if len(accounts) != 0 || len(rows) != 1 || len(rows[0].Sealed) == 0 {
		t.Fatalf("half done: %d accounts, %d rows", len(accounts), len(rows))
	}
	both[1].AppID = ""
	must(t, l.FinishAll(ctx, from, both, Renewal{}, lines))
	for _, a := range both {
		if got, err := l.Account(ctx, a.ID); err != nil || got.Grant != "one" {
			t.Errorf("%+v, %v", got, err)
		}
		if diary, err := l.Diary(ctx, a.ID, 0, 0); err != nil || len(diary) != 1 {
			t.Errorf("%v, %v", diary, err)
		}
	}
	if rows, err = l.Pendings(ctx); err != nil || len(rows) != 0 {
		t.Errorf("%d rows are left, %v", len(rows), err)
	}
}
