package e2e

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // built with the system's SQLite (tag libsqlite3)
)

// Everything that the tests know of the store's schema stands in these statements (CONTRACTS.md 4).
const (
	sqlOpen = `SELECT policy, rule, resource_kind, coalesce(resource_namespace, ''), resource_name, result
		FROM policy_report_result`
	sqlFindings = `SELECT policy, rule, subject_kind, coalesce(namespace, ''), name, state, result FROM finding
		WHERE state <> 'pending'`
	sqlLastSeq = `SELECT coalesce(max(seq), 0) FROM transition`
	sqlSince   = `SELECT f.policy, f.rule, f.subject_kind, coalesce(f.namespace, ''), f.name, t.to_state, coalesce(t.reason, '')
		FROM transition t JOIN finding f ON f.id = t.finding_id WHERE t.seq > ? ORDER BY t.seq`
	sqlStatus = `SELECT json FROM status`
	sqlGaps   = `SELECT kind, reason, from_ms, to_ms FROM watch_gap`
)

// key names a finding: "policy/rule Kind namespace/name", with only the name when cluster-scoped.
type key string

func keyOf(policy, rule, kind, ns, name string) key {
	if ns != "" {
		name = ns + "/" + name
	}
	return key(policy + "/" + rule + " " + kind + " " + name)
}

// subject is "Kind namespace/name", subjectKind only "Kind".
func subject(k key) string {
	_, s, _ := strings.Cut(string(k), " ")
	return s
}

func subjectKind(k key) string {
	kind, _, _ := strings.Cut(subject(k), " ")
	return kind
}

// transition is one row of the store's history.
type transition struct {
	key           key
	state, reason string
}

// reader is a read-only connection to the daemon's database, as any operator may open one.
type reader struct {
	t  testing.TB
	db *sql.DB
}

func openReader(t testing.TB, path string) *reader {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro&_busy_timeout=2000")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return &reader{t: t, db: db}
}

func (r *reader) query(row func(scan func(...any) error) error, statement string, args ...any) {
	r.t.Helper()
	rows, err := r.db.Query(statement, args...)
	if err == nil {
		defer rows.Close()
		for rows.Next() && err == nil {
			err = row(rows.Scan)
		}
		if err == nil {
			err = rows.Err()
		}
	}
	if err != nil {
		r.t.Fatalf("reading the store: %v", err)
	}
}

// open is the set of open findings with their results, by the view that is a contract.
func (r *reader) open() map[key]string {
	r.t.Helper()
	found := map[key]string{}
	r.query(func(scan func(...any) error) error {
		var policy, rule, kind, ns, name, result string
		err := scan(&policy, &rule, &kind, &ns, &name, &result)
		found[keyOf(policy, rule, kind, ns, name)] = result
		return err
	}, sqlOpen)
	return found
}

// states is every finding of the store, whatever its state.
func (r *reader) states() map[key]string {
	r.t.Helper()
	found := map[key]string{}
	r.query(func(scan func(...any) error) error {
		var policy, rule, kind, ns, name, state, result string
		err := scan(&policy, &rule, &kind, &ns, &name, &state, &result)
		found[keyOf(policy, rule, kind, ns, name)] = state
		return err
	}, sqlFindings)
	return found
}

// mark is the number of the last transition; since gives those that came after it.
func (r *reader) mark() int64 {
	r.t.Helper()
	var seq int64
	r.query(func(scan func(...any) error) error { return scan(&seq) }, sqlLastSeq)
	return seq
}

func (r *reader) since(mark int64) []transition {
	r.t.Helper()
	var all []transition
	r.query(func(scan func(...any) error) error {
		var policy, rule, kind, ns, name string
		var tr transition
		err := scan(&policy, &rule, &kind, &ns, &name, &tr.state, &tr.reason)
		tr.key = keyOf(policy, rule, kind, ns, name)
		all = append(all, tr)
		return err
	}, sqlSince, mark)
	return all
}

// version changes whenever another connection has committed.
func (r *reader) version() int64 {
	r.t.Helper()
	var v int64
	r.query(func(scan func(...any) error) error { return scan(&v) }, "PRAGMA data_version")
	return v
}

// await looks at the store after every commit until ok says yes; the time it saw that, or false after limit.
func (r *reader) await(limit time.Duration, ok func() bool) (time.Time, bool) {
	r.t.Helper()
	last := int64(-1)
	var at time.Time
	return at, eventually(limit, func() bool {
		v := r.version()
		if v == last {
			return false
		}
		last = v
		yes := ok()
		at = time.Now()
		return yes
	})
}

// gap is a time in which a kind could not be watched.
type gap struct {
	kind, reason string
	from, to     time.Time
}

func (r *reader) gaps() []gap {
	r.t.Helper()
	var all []gap
	r.query(func(scan func(...any) error) error {
		var g gap
		var from, to int64
		err := scan(&g.kind, &g.reason, &from, &to)
		g.from, g.to = time.UnixMilli(from), time.UnixMilli(to)
		all = append(all, g)
		return err
	}, sqlGaps)
	return all
}

// gapFor finds the recorded gap of a kind ("pods", "ingresses.networking.k8s.io") that covers a time.
func (r *reader) gapFor(kind, reason string, at time.Time) bool {
	r.t.Helper()
	for _, g := range r.gaps() {
		if g.kind == kind && g.reason == reason && !g.from.After(at) && !g.to.Before(at) {
			return true
		}
	}
	return false
}

// status is the daemon's own account of itself (CONTRACTS.md 4).
type status struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
	Written string `json:"written"`
	Synced  bool   `json:"synced"`
	Kinds   []kindStatus
}

type kindStatus struct {
	Kind            string  `json:"kind"`
	Group           string  `json:"group"`
	State           string  `json:"state"`
	Objects         int     `json:"objects"`
	ResourceVersion string  `json:"resource_version"`
	AgeSeconds      float64 `json:"age_seconds"`
	Relists         int     `json:"relists"`
	Reason          string  `json:"reason"`
}

func (r *reader) status() status {
	r.t.Helper()
	var s status
	r.query(func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return fmt.Errorf("status row: %w in %s", err, text)
		}
		return nil
	}, sqlStatus)
	return s
}

func (s status) kind(name string) kindStatus {
	for _, k := range s.Kinds {
		if k.Kind == name {
			return k
		}
	}
	return kindStatus{}
}

func sortedKeys[V any](m map[key]V) []key {
	var all []key
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// differences lists what two sets of results do not share, at most 40 lines.
func differences(nameA string, a map[key]string, nameB string, b map[key]string) string {
	var lines []string
	for _, k := range sortedKeys(a) {
		if other, ok := b[k]; !ok {
			lines = append(lines, fmt.Sprintf("only %s: %s = %s", nameA, k, a[k]))
		} else if other != a[k] {
			lines = append(lines, fmt.Sprintf("%s = %s by %s, %s by %s", k, a[k], nameA, other, nameB))
		}
	}
	for _, k := range sortedKeys(b) {
		if _, ok := a[k]; !ok {
			lines = append(lines, fmt.Sprintf("only %s: %s = %s", nameB, k, b[k]))
		}
	}
	if n := len(lines); n > 40 {
		lines = append(lines[:40], fmt.Sprintf("... %d lines in all", n))
	}
	return strings.Join(lines, "\n")
}
