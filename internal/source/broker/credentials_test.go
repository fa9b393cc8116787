package broker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

func TestParseCredentials(t *testing.T) {
	hash := broker.HashSecret("x")
	tests := []struct {
		name, text string
		devices    []string
		faults     []string // "line: part of the message"
	}{
		{"empty", "", nil, nil},
		{"comments and blanks", "# who\n\n  \r\nd1:" + hash + "\r\n", []string{"d1"}, nil},
		{"bridge", "b1:" + hash + ":sg/v1/+/up,sg/v1/#", []string{"b1"}, nil},
		{"colon in a filter", "b1:" + hash + ":sg/v1/a:b/up", []string{"b1"}, nil},
		{
			"every fault at once", "d1\n:" + hash + "\nd2:plain\nd3:" + hash + "\nd3:" + hash + "\nb:" + hash + ":\nc:" + hash + ":a/#/b\ne/f:" + hash,
			[]string{"d3"},
			[]string{"1: no colon", "2: cannot be a device id", "3: is not sha256$", "5: in line 4 already", "6: no topic filter", "7: no topic filter", "8: cannot be a device id"},
		},
		{"salt", "d1:sha256$zz$" + strings.Repeat("0", 64), nil, []string{"1: salt"}},
		{"sum", "d1:sha256$00$00", nil, []string{"1: 32 bytes in hex"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			devices, faults := broker.ParseCredentials([]byte(tt.text))
			require.Equal(t, tt.devices, devices)
			require.Len(t, faults, len(tt.faults))
			for i, want := range tt.faults {
				line, part, _ := strings.Cut(want, ": ")
				require.Equal(t, line, strconv.Itoa(faults[i].Line))
				require.Contains(t, faults[i].Message, part)
				require.NotContains(t, faults[i].Message, hash, "hashes are not logged")
			}
		})
	}
}

func FuzzParseCredentials(f *testing.F) {
	f.Add("d1:" + broker.HashSecret("x") + ":sg/v1/+/up\n# c\n")
	f.Add("d1:sha256$00$00\nd1")
	f.Fuzz(func(t *testing.T, text string) {
		devices, faults := broker.ParseCredentials([]byte(text))
		require.LessOrEqual(t, len(devices)+len(faults), strings.Count(text, "\n")+1)
		seen := map[string]bool{}
		for _, d := range devices {
			require.False(t, seen[d], "twice")
			require.False(t, strings.ContainsAny(d, "/+#: "), "%q", d)
			seen[d] = true
		}
	})
}

func TestSecrets(t *testing.T) {
	require.Len(t, broker.NewSecret(), 32)
	one, other := broker.NewSecret(), broker.NewSecret()
	require.NotEqual(t, one, other)
	one, other = broker.HashSecret("x"), broker.HashSecret("x")
	require.NotEqual(t, one, other, "salted")
	require.Regexp(t, `^sha256\$[0-9a-f]{32}\$[0-9a-f]{64}$`, broker.HashSecret("x"))
}

func TestIssueAndRevoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "credentials")
	issued, err := broker.Issue(path, "d1", "d2")
	require.NoError(t, err)
	require.Equal(t, "d1", issued[0].Device)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	// What people wrote stays: comments, order, the filters of a bridge.
	old := read(t, path)
	text := "# of the north\n" + old + "b1:" + broker.HashSecret("x") + ":sg/v1/+/up,sg/v1/a:b/up"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	_, err = broker.Issue(path, "b1", "d3")
	require.NoError(t, err)
	lines := strings.Split(read(t, path), "\n")
	require.Equal(t, "# of the north", lines[0])
	require.Equal(t, strings.Split(old, "\n")[:2], lines[1:3])
	require.Regexp(t, `^b1:sha256\$[^:]*:sg/v1/\+/up,sg/v1/a:b/up$`, lines[3])
	require.NotEqual(t, strings.Split(text, "\n")[3], lines[3])
	require.Regexp(t, `^d3:sha256\$[^:]*$`, lines[4])

	removed, err := broker.Revoke(path, "d1", "d9")
	require.NoError(t, err)
	require.Equal(t, []string{"d1"}, removed)
	devices, faults := broker.ParseCredentials([]byte(read(t, path)))
	require.Equal(t, []string{"d2", "b1", "d3"}, devices)
	require.Empty(t, faults)

	_, err = broker.Issue(path, "no/device")
	require.ErrorContains(t, err, "cannot be a device id")
}

func TestIssueAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := broker.Issue(path, fmt.Sprintf("d%d", i))
			require.NoError(t, err)
		})
	}
	wg.Wait()
	devices, _ := broker.ParseCredentials([]byte(read(t, path)))
	require.Len(t, devices, 20)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".credentials*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func TestNoCredentialsFileYet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	f := start(t, func(o *broker.Options) { o.CredentialsFile = path })
	require.Contains(t, f.Status().Detail, "nobody can log in")
	c := sourcetest.Dial(t, f.Addr(), nil)
	require.Equal(t, byte(5), c.Hello(sourcetest.Hello{User: "d1", Secret: secret}).ReasonCode)

	issued, err := broker.Issue(path, "d1")
	require.NoError(t, err)
	sourcetest.Until(t, func() bool { return f.Status().Detail == "" }, "the file was not taken")
	c = sourcetest.Dial(t, f.Addr(), nil)
	require.Zero(t, c.Hello(sourcetest.Hello{User: "d1", Secret: issued[0].Secret}).ReasonCode)
}

func TestCredentialsChange(t *testing.T) {
	f := start(t)
	d1, d2, b1 := f.client(t, "d1", v5, keep), f.client(t, "d2", v5, keep), f.client(t, "b1", v5, keep)
	away := f.client(t, "d1", keep, func(h *sourcetest.Hello) { h.ID = "away" })
	require.Equal(t, byte(1), away.Subscribe("sg/v1/d1/down")[0])
	away.Close()
	sourcetest.Until(t, func() bool { return f.Status().Connections == 3 }, "still there")

	_, err := broker.Revoke(f.file, "d1")
	require.NoError(t, err)
	require.Equal(t, packets.ErrNotAuthorized.Code, d1.Ended())
	require.ErrorIs(t, f.Publish("d1", []byte("x")), broker.ErrNotSubscribed, "the session that was away is gone too")
	d1 = sourcetest.Dial(t, f.Addr(), nil)
	require.Equal(t, byte(5), d1.Hello(sourcetest.Hello{User: "d1", Secret: secret}).ReasonCode)

	// The others are not touched, and a new secret ends the old one's connection.
	issued, err := broker.Issue(f.file, "d2")
	require.NoError(t, err)
	require.Equal(t, packets.ErrNotAuthorized.Code, d2.Ended())
	d2 = sourcetest.Dial(t, f.Addr(), nil)
	require.True(t, d2.Hello(sourcetest.Hello{User: "d2", Secret: issued[0].Secret, Keep: true}).SessionPresent, "the session lives on")
	b1.Publish("sg/v1/d1/up", []byte("{}"), 1, 1)
	f.sink.TakeDone(t)
	b1.Expect(packets.Puback)
}

func TestFaultyCredentialsLeaveTheOldInForce(t *testing.T) {
	f := start(t)
	d1 := f.client(t, "d1")
	old := read(t, f.file)
	require.NoError(t, os.WriteFile(f.file, []byte("d2:half a li"), 0o600))
	sourcetest.Until(t, func() bool { return strings.Contains(f.Status().Detail, ":1: ") }, "the fault is not told")
	require.Error(t, f.Reload())
	d1.Publish("sg/v1/d1/up", []byte("{}"), 1, 1)
	f.sink.TakeDone(t)
	d1.Expect(packets.Puback)
	f.client(t, "d2")
	require.NoError(t, os.WriteFile(f.file, []byte(old), 0o600))
	require.NoError(t, f.Reload())
	require.Empty(t, f.Status().Detail)

	require.NoError(t, os.Remove(f.file))
	d1.Ended()
}

func TestFaultyCredentialsAtTheStart(t *testing.T) {
	f := start(t, func(o *broker.Options) {
		text := read(t, o.CredentialsFile) + "broken\n"
		require.NoError(t, os.WriteFile(o.CredentialsFile, []byte(text), 0o600))
	})
	require.Contains(t, f.Status().Detail, "no colon")
	f.client(t, "d1")
}

// TestAReloadWhileTheSourceStarts: SIGHUP may come before the files were read.
func TestAReloadWhileTheSourceStarts(t *testing.T) {
	s, err := broker.New(options(t, sourcetest.NewSink(64)))
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 20 {
			_ = s.Reload()
		}
	}()
	sourcetest.Run(t, s, true)
	<-ended
	require.Empty(t, s.Status().Detail)
}
