package mosquitto_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/keys"
	"github.com/simpang-id/simpang/internal/source/mosquitto"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// broker is a real Mosquitto on the files of dir.
func broker(t *testing.T, dir string) *sourcetest.Mosquitto {
	t.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", sourcetest.FreePort(t))
	_, port, _ := strings.Cut(addr, ":")
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	require.NoError(t, os.WriteFile(conf, []byte(fmt.Sprintf("listener %s 127.0.0.1\nuser root\nallow_anonymous false\npassword_file %s\nacl_file %s\n",
		port, filepath.Join(dir, mosquitto.PasswordFile), filepath.Join(dir, mosquitto.RightsFile))), 0o600))
	return sourcetest.StartMosquitto(t, conf, addr)
}

func login(t *testing.T, m *sourcetest.Mosquitto, user, secret string) *sourcetest.Client {
	t.Helper()
	c := sourcetest.Dial(t, m.Addr, nil)
	require.Zero(t, c.Hello(sourcetest.Hello{User: user, Secret: secret}).ReasonCode, user)
	return c
}

func TestTheRealMosquittoHoldsThem(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: "simpang", Password: "g"}, mosquitto.User{Name: "d1", Password: "one"}, mosquitto.User{Name: "d2", Password: "two"}))
	m := broker(t, dir)
	for _, wrong := range []sourcetest.Hello{{User: "d1", Secret: "two"}, {User: "d1", Secret: ""}, {User: "d9", Secret: "one"}, {}} {
		c := sourcetest.Dial(t, m.Addr, nil)
		require.NotZero(t, c.Hello(wrong).ReasonCode, "%+v", wrong)
	}
	gateway, d1, d2 := login(t, m, "simpang", "g"), login(t, m, "d1", "one"), login(t, m, "d2", "two")
	require.Equal(t, []byte{1, 1}, gateway.Subscribe("sg/v1/+/up", "sg/v1/+/status"))
	// Mosquitto grants what it will never deliver; what counts is what comes.
	d1.Subscribe("sg/v1/d1/down", "sg/v1/d2/down", "sg/v1/d2/up")
	d2.Subscribe("sg/v1/d2/down", "sg/v1/+/down", "#")

	d1.Publish("sg/v1/d2/up", []byte("stolen"), 1, 1) // acknowledged and dropped
	d1.Expect(packets.Puback)
	d1.Publish("sg/v1/d2/down", []byte("stolen"), 1, 2)
	d1.Expect(packets.Puback)
	d1.Publish("sg/v1/d1/down", []byte("stolen"), 1, 3)
	d1.Expect(packets.Puback)
	d1.Publish("sg/v1/d1/up", []byte("own"), 1, 4)
	d1.Expect(packets.Puback)
	got := gateway.Expect(packets.Publish)
	require.Equal(t, "sg/v1/d1/up", got.TopicName)
	require.Equal(t, "own", string(got.Payload))
	gateway.Ack(packets.Puback, got.PacketID)

	gateway.Publish("sg/v1/d1/down", []byte("for d1"), 1, 1)
	gateway.Expect(packets.Puback)
	got = d1.Expect(packets.Publish)
	require.Equal(t, "for d1", string(got.Payload))
	d2.Silent()
	gateway.Silent()
}

func TestNewSecretsTakeEffectAtSIGHUPAndOthersStay(t *testing.T) {
	dir := t.TempDir()
	sourcetest.MosquittoPassword(t, filepath.Join(dir, mosquitto.PasswordFile), "camera", "kept")
	require.NoError(t, os.WriteFile(filepath.Join(dir, mosquitto.RightsFile), []byte("topic read public/#\n\nuser camera\ntopic write video/#"), 0o640))
	require.NoError(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: "d1", Password: "old"}))
	m := broker(t, dir)
	login(t, m, "camera", "kept")
	login(t, m, "d1", "old").Close()

	require.NoError(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: "d1", Password: "new"}, mosquitto.User{Name: "d2", Password: "two"}))
	rules := read(t, filepath.Join(dir, mosquitto.RightsFile))
	require.True(t, strings.HasPrefix(rules, "topic read public/#\n\nuser camera\ntopic write video/#\n# simpang: begin"), rules)
	require.Equal(t, 1, strings.Count(rules, "pattern write sg/v1/%u/up"))
	info, err := os.Stat(filepath.Join(dir, mosquitto.RightsFile))
	require.NoError(t, err)
	require.EqualValues(t, 0o640, info.Mode().Perm())
	m.Signal(t, syscall.SIGHUP)
	require.Eventually(t, func() bool {
		c := sourcetest.Dial(t, m.Addr, nil)
		defer c.Close()
		return c.Hello(sourcetest.Hello{User: "d1", Secret: "new"}).ReasonCode == 0
	}, sourcetest.Wait, sourcetest.Quiet)
	require.NotZero(t, sourcetest.Dial(t, m.Addr, nil).Hello(sourcetest.Hello{User: "d1", Secret: "old"}).ReasonCode)
	login(t, m, "camera", "kept")
	login(t, m, "d2", "two")

	gone, err := mosquitto.Revoke(dir, "d2", "nobody")
	require.NoError(t, err)
	require.Equal(t, []string{"d2"}, gone)
	users, err := mosquitto.Users(dir)
	require.NoError(t, err)
	require.Len(t, users, 2)
	require.True(t, mosquitto.Matches(users["d1"], "new"))
	require.False(t, mosquitto.Matches(users["d1"], "old"))
	require.True(t, mosquitto.Matches(users["camera"], "kept"), "mosquitto_passwd's own hash")
	require.False(t, mosquitto.Matches("$6$x$y", "kept"))
	require.False(t, mosquitto.Matches("$7$0$AA==$AA==", "kept"))
}

func TestFilesAreSafeAndNamesAreNames(t *testing.T) {
	dir := t.TempDir()
	for _, bad := range []string{"", "a:b", "a/b", "+", "#", "a b", "a\nb"} {
		require.Error(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: bad, Password: "x"}), "%q", bad)
	}
	require.Error(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: "d"}))
	require.NoError(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: "d", Password: "hush"}))
	for _, name := range []string{mosquitto.PasswordFile, mosquitto.RightsFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.EqualValues(t, 0o600, info.Mode().Perm())
		require.NotContains(t, read(t, filepath.Join(dir, name)), "hush")
	}
}

// Devices are never locked out by half a write.
func TestNoPasswordChangesWithoutTheRules(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: "d", Password: "old"}))
	rights := filepath.Join(dir, mosquitto.RightsFile)
	require.NoError(t, os.Remove(rights))
	require.NoError(t, os.Mkdir(rights, 0o700))
	require.ErrorContains(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: "d", Password: "new"}), rights)
	users, err := mosquitto.Users(dir)
	require.NoError(t, err)
	require.True(t, mosquitto.Matches(users["d"], "old"))
	require.NoError(t, os.Remove(rights))
	require.ErrorContains(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: "d", Password: "a"}, mosquitto.User{Name: "d", Password: "b"}), "twice")
}

// Rules of others keep the user that they stand under.
func TestRulesStayWhereTheyStand(t *testing.T) {
	const ours = "# simpang: begin (written by simpang device mosquitto)\nuser simpang\n# simpang: end\n"
	for name, one := range map[string]struct{ before, head, tail string }{
		"behind ours":    {"user camera\ntopic write video/#\n" + ours + "topic read application/#\n", "user camera\ntopic write video/#\n", "topic read application/#\n"},
		"with CR":        {strings.ReplaceAll("topic read a\n"+ours+"topic read b\n", "\n", "\r\n"), "topic read a\n", "topic read b\n"},
		"a lost end":     {"# simpang: begin (written by simpang device mosquitto)\nuser simpang\ntopic read a\n" + ours, "# simpang: begin (written by simpang device mosquitto)\nuser simpang\ntopic read a\n", ""},
		"an end first":   {"# simpang: end\ntopic read a\n" + ours + "topic read b\n", "# simpang: end\ntopic read a\n", "topic read b\n"},
		"no end":         {"# simpang: begin (written by simpang device mosquitto)\nuser x\ntopic read a\n", "# simpang: begin (written by simpang device mosquitto)\nuser x\ntopic read a\n", ""},
		"nothing before": {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, mosquitto.RightsFile)
			require.NoError(t, os.WriteFile(path, []byte(one.before), 0o600))
			require.NoError(t, mosquitto.Write(dir, "simpang"))
			once := read(t, path)
			rest, ok := strings.CutPrefix(once, one.head)
			require.True(t, ok, once)
			rest, ok = strings.CutSuffix(rest, one.tail)
			require.True(t, ok, once)
			require.True(t, strings.HasPrefix(rest, "# simpang: begin"), once)
			require.True(t, strings.HasSuffix(rest, "topic write sg/v1/+/down\n# simpang: end\n"), once)
			require.Equal(t, 1, strings.Count(rest, "# simpang: begin"))
			require.NoError(t, mosquitto.Write(dir, "simpang"))
			require.Equal(t, once, read(t, path))
		})
	}
}

// Whoever may write the folder cannot have root read or write elsewhere.
func TestLinksAreNotFollowed(t *testing.T) {
	for _, name := range []string{mosquitto.PasswordFile, mosquitto.PasswordFile + ".lock", mosquitto.RightsFile, mosquitto.RightsFile + ".lock"} {
		dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "shadow")
		require.NoError(t, os.WriteFile(elsewhere, []byte("root:x\n"), 0o600))
		require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, name)))
		require.ErrorIs(t, mosquitto.Write(dir, "simpang", mosquitto.User{Name: "d", Password: "new"}), keys.ErrIrregular, name)
		require.Equal(t, "root:x\n", read(t, elsewhere))
	}
}
