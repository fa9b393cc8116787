package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/keys"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/mosquitto"
)

// deviceMosquitto writes the password file and the access rules of a Mosquitto
// whose devices this gateway reads.
func deviceMosquitto(f *deviceFlags, args []string, stdout, stderr io.Writer) error {
	set, _ := flagSet("device mosquitto", stderr)
	dir := set.String("to", "", "the `FOLDER` of Mosquitto's files passwd and acl")
	gateway := set.String("gateway", "", "the `USER` as which the gateway logs in; default: that of the configuration's mqtt source, else simpang")
	if err := parse(set, args); err != nil {
		return err
	}
	ids := set.Args()
	if err := once(ids); err != nil {
		return err
	}
	switch {
	case *dir == "":
		return usagef("-to FOLDER is missing behind the word mosquitto: where %s and %s are, or shall be", mosquitto.PasswordFile, mosquitto.RightsFile)
	case f.list || f.filters != "":
		return usagef("-list and -filters are for the built-in broker: look into %s, and write a bridge's rules into %s by hand", mosquitto.PasswordFile, mosquitto.RightsFile)
	}
	if info, err := os.Stat(*dir); err != nil || !info.IsDir() {
		return usagef("there is no folder %s: make it, for Mosquitto's user", *dir)
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	if f.revoke {
		return revokeAtMosquitto(*dir, ids, stderr)
	}
	users, secret, err := mosquittoGateway(cfg, f.source, *gateway, *dir)
	if err != nil {
		return err
	}
	name := users.Name
	var all []mosquitto.User
	if users.Password != "" {
		all = append(all, users)
	}
	if ids, err = mosquittoDevices(cfg, f.unlisted, *dir, ids); err != nil {
		return err
	}
	if slices.Contains(ids, name) {
		return usagef("%s is the gateway's own user: give the device another id, or the gateway another user with -gateway", name)
	}
	var told []mosquitto.User // whose secrets stand nowhere else
	if secret {
		told = append(told, users)
	}
	for _, id := range ids {
		u := mosquitto.User{Name: id, Password: broker.NewSecret()}
		all, told = append(all, u), append(told, u)
	}
	if err := mosquitto.Write(*dir, name, all...); err != nil {
		return errors.Join(err, tell(stdout, written(*dir, told)))
	}
	fmt.Fprintf(stderr, "%d users are new or have a new secret, the others stay as they were. Mosquitto takes it up at SIGHUP (systemctl reload mosquitto); "+
		"it needs password_file %s and acl_file %s\n", len(all), filepath.Join(*dir, mosquitto.PasswordFile), filepath.Join(*dir, mosquitto.RightsFile))
	return tell(stdout, told)
}

func tell(stdout io.Writer, users []mosquitto.User) error {
	for _, u := range users {
		if _, err := fmt.Fprintf(stdout, "%s:%s\n", u.Name, u.Password); err != nil {
			return err
		}
	}
	return nil
}

// written are those whose passwords stand in the folder after a write that
// failed: nobody else has them any more.
func written(dir string, users []mosquitto.User) []mosquitto.User {
	have, err := mosquitto.Users(dir)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(users, func(u mosquitto.User) bool { return !mosquitto.Matches(have[u.Name], u.Password) })
}

// mosquittoDevices are the devices that get a secret: those that are named, or
// all of the inventory that speak MQTT themselves and have none yet.
func mosquittoDevices(cfg *config.Config, unlisted bool, dir string, ids []string) ([]string, error) {
	if len(ids) > 0 {
		if unlisted {
			return ids, nil
		}
		return ids, listed(cfg, ids)
	}
	v, err := inventoryOf(cfg)
	if err != nil {
		return nil, err
	}
	have, err := mosquitto.Users(dir)
	if err != nil {
		return nil, err
	}
	for _, d := range v.Devices {
		if _, ok := have[d.ID]; !ok && d.EUI == "" && d.Profile == "" {
			ids = append(ids, d.ID)
		}
	}
	return ids, nil
}

// mosquittoGateway is the gateway's own user. Its password is that of the
// source's password_file, which is made where it is missing, and empty where
// Mosquitto knows it already. print: it stands in no file and has to be told.
func mosquittoGateway(cfg *config.Config, sourceID, name, dir string) (user mosquitto.User, print bool, err error) {
	var source config.Source
	for _, s := range cfg.Sources {
		if s.Type == config.TypeMQTT && s.Format == config.FormatNative && s.Username != "" && (sourceID == "" || s.ID == sourceID) {
			if source.ID != "" && name == "" {
				return user, false, usagef("%s has several sources that could be Mosquitto's: name one with -source before the word mosquitto", cfg.File)
			}
			source = s
		}
	}
	if sourceID != "" && source.ID == "" {
		return user, false, usagef("%s has no source %s of type mqtt and format native with a username", cfg.File, sourceID)
	}
	user.Name = name
	if name == "" || name == source.Username {
		if user.Name = source.Username; user.Name == "" {
			user.Name = "simpang"
		}
	} else {
		source = config.Source{}
	}
	have, err := mosquitto.Users(dir)
	if err != nil {
		return user, false, err
	}
	hash, known := have[user.Name]
	if source.PasswordFile == "" {
		if known {
			return user, false, nil
		}
		user.Password = broker.NewSecret()
		return user, true, nil
	}
	password, err := os.ReadFile(source.PasswordFile)
	if errors.Is(err, fs.ErrNotExist) {
		password = []byte(broker.NewSecret() + "\n")
		if err = os.MkdirAll(filepath.Dir(source.PasswordFile), 0o700); err == nil {
			err = keys.Replace(source.PasswordFile, password, 0)
		}
	}
	if err != nil {
		return user, false, err
	}
	if text := strings.TrimRight(string(password), "\r\n"); !mosquitto.Matches(hash, text) {
		user.Password = text
	}
	return user, false, nil
}

func revokeAtMosquitto(dir string, ids []string, stderr io.Writer) error {
	if len(ids) == 0 {
		return usagef("name the users that shall be let in no more")
	}
	gone, err := mosquitto.Revoke(dir, ids...)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%d of %d are let in no more, once Mosquitto has had SIGHUP and they connect anew\n", len(gone), len(ids))
	if len(gone) < len(ids) {
		return usagef("not all of them were in %s", filepath.Join(dir, mosquitto.PasswordFile))
	}
	return nil
}
