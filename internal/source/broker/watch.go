package broker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// users is the content of the credentials file as it is in force.
type users struct {
	users map[string]*credential
	fault string // why it is not what the file says, or why nobody can log in
}

// stamp tells whether a file changed.
type stamp struct {
	modified time.Time
	size     int64
	inode    uint64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	st := stamp{modified: info.ModTime(), size: info.Size()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		st.inode = sys.Ino
	}
	return st
}

// Reload reads the credentials file and the certificate now. What is faulty
// leaves the old in force; Status says so too.
func (s *Source) Reload() error {
	s.reload.Lock()
	defer s.reload.Unlock()
	return errors.Join(s.reloadCredentials(), s.reloadCertificate())
}

// firstLook reads the files at the start. The gateway may ask for a reload
// meanwhile.
func (s *Source) firstLook() {
	s.reload.Lock()
	defer s.reload.Unlock()
	if err := s.reloadCertificate(); err != nil {
		s.o.Log.Error("nobody can connect over TLS until the certificate can be read; it is looked at again each second", "error", err)
	}
	if err := s.reloadCredentials(); err != nil {
		s.o.Log.Error("credentials", "error", err)
	} else if fault := s.credentials.Load().fault; fault != "" {
		s.o.Log.Warn(fault)
	}
}

func (s *Source) reloadCredentials() error {
	path := s.o.CredentialsFile
	s.credentialsStamp = stampOf(path)
	data, err := os.ReadFile(path)
	old := s.credentials.Load()
	if errors.Is(err, fs.ErrNotExist) {
		s.replaceUsers(&users{fault: fmt.Sprintf("the credentials file %s does not exist, so nobody can log in; make it with simpang device credentials", path)})
		return nil
	}
	if err != nil {
		err = fmt.Errorf("read the credentials: %w", err)
		s.credentials.Store(&users{users: old.users, fault: err.Error()})
		return err
	}
	list, faults := parseCredentials(data)
	next := &users{users: make(map[string]*credential, len(list))}
	for _, c := range list {
		next.users[c.device] = c
	}
	if len(faults) == 0 {
		s.replaceUsers(next)
		return nil
	}
	err = fmt.Errorf("%s:%d: %s (%d faulty lines in all)", path, faults[0].Line, faults[0].Message, len(faults))
	next.fault = err.Error()
	if old.users == nil { // the first look: better the good lines than nobody
		next.fault += "; the other lines are in force"
		s.replaceUsers(next)
	} else {
		s.credentials.Store(&users{users: old.users, fault: next.fault + "; the credentials before are still in force"})
	}
	return err
}

// replaceUsers puts next in force, cuts those whose credentials are gone or
// changed, and ends the sessions of those who are gone.
func (s *Source) replaceUsers(next *users) {
	s.credentials.Store(next)
	s.revoke(next)
}

// holds tells whether c is still what the file says.
func (u *users) holds(c *credential) bool {
	now := u.users[c.device]
	return now != nil && now.same(c)
}

func (s *Source) reloadCertificate() error {
	if s.o.TLSListen == "" {
		return nil
	}
	s.certificateStamp = [2]stamp{stampOf(s.o.CertFile), stampOf(s.o.KeyFile)}
	pair, err := tls.LoadX509KeyPair(s.o.CertFile, s.o.KeyFile)
	if err != nil {
		err = fmt.Errorf("read the certificate for tls_listen: %w", err)
		s.certificateFault.Store(&err)
		return err
	}
	s.certificate.Store(&pair)
	s.certificateFault.Store(nil)
	return nil
}

// watch reads the files again when they change, until the source ends. A
// credentials file that is missing in one look only was being replaced.
func (s *Source) watch() {
	defer s.tasks.Done()
	ticker := time.NewTicker(s.o.CheckEvery)
	defer ticker.Stop()
	missing := false
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		s.expire(time.Now())
		now := stampOf(s.o.CredentialsFile)
		wasMissing := missing
		missing = now == stamp{}
		if missing && !wasMissing {
			continue
		}
		s.check(now)
	}
}

func (s *Source) check(credentials stamp) {
	s.reload.Lock()
	defer s.reload.Unlock()
	if credentials != s.credentialsStamp {
		if err := s.reloadCredentials(); err != nil {
			s.o.Log.Error("credentials not taken", "error", err)
		} else {
			s.o.Log.Info("credentials taken", "users", len(s.credentials.Load().users))
		}
	}
	if s.o.TLSListen == "" {
		return
	}
	changed := s.certificateStamp != [2]stamp{stampOf(s.o.CertFile), stampOf(s.o.KeyFile)}
	if !changed && s.certificate.Load() != nil { // without one, its rights may be what was mended
		return
	}
	if err := s.reloadCertificate(); err != nil && !changed {
		return // as before
	} else if err != nil {
		s.o.Log.Error("certificate not taken; the one before is still in use", "error", err)
	} else {
		s.o.Log.Info("certificate taken", "file", s.o.CertFile)
	}
}
