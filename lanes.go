package regraft

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"

	"regraft/engine/session"
)

// lane is where one call at a time computes.
type lane struct {
	net      *Network // what session answers for
	compiled *session.Compiled
	session  *session.Session // nil until it is needed
}

// lanes hands out a model's lanes, the one that worked last first: those that are never needed at the same time cost nothing.
type lanes struct {
	turns   chan struct{} // a token for each lane that is out
	closing sync.Mutex    // held by who waits for all of them
	mu      sync.Mutex    // guards idle
	idle    []*lane
}

func newLanes(n int) *lanes {
	l := &lanes{turns: make(chan struct{}, n)}
	for range n {
		l.idle = append(l.idle, &lane{})
	}
	return l
}

// take waits for a lane, or for the end of ctx.
func (l *lanes) take(ctx context.Context) (*lane, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case l.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.idle) - 1
	taken := l.idle[last]
	l.idle = l.idle[:last]
	return taken, nil
}

// yield gives a lane back.
func (l *lanes) yield(back *lane) {
	l.mu.Lock()
	l.idle = append(l.idle, back)
	l.mu.Unlock()
	<-l.turns
}

// close ends all sessions, after the calls that have a lane or wait for one before it.
func (l *lanes) close() error {
	l.closing.Lock()
	defer l.closing.Unlock()
	for range cap(l.turns) {
		l.turns <- struct{}{}
	}
	var errs []error
	for _, idle := range l.idle {
		errs = append(errs, idle.stop())
	}
	for range cap(l.turns) {
		<-l.turns
	}
	return errors.Join(errs...)
}

// stop ends the lane's session.
func (l *lane) stop() error {
	if l.session == nil {
		return nil
	}
	err := l.session.Close()
	*l = lane{}
	return err
}

// start gives l a session that runs net on so many images at a time, or as many as the options allow: a single
// photo should not pay for the memory of a batch.
func (m *Model) start(l *lane, net *Network, images int) error {
	batch := m.options.batch
	if images == 1 {
		batch = 1
	}
	if l.session != nil && l.net == net && l.compiled.Batch >= batch {
		m.dropValues(batch)
		return nil
	}
	if l.net != net {
		if err := l.stop(); err != nil {
			return err
		}
	}
	c, err := m.program(net, batch)
	if err != nil {
		return err
	}
	// The old session of this network ends only now: constants that both want stay packed.
	s, err := c.New(max(session.Threads(m.options.threads)/m.options.sessions, 1))
	if err != nil {
		return err
	}
	err = l.stop()
	*l = lane{net, c, s}
	m.dropValues(batch)
	return err
}

// dropValues lets go of the weights as they were read, once what every answer needs is packed for a batch and the cache knows the model.
func (m *Model) dropValues(batch int) {
	if !m.options.answersOnly || batch < m.options.batch || !m.keeping.TryLock() {
		return
	}
	defer m.keeping.Unlock()
	m.compiling.Lock()
	defer m.compiling.Unlock()
	if m.dropped || m.options.cache != nil && m.keeps == nil {
		return
	}
	for _, c := range m.programs {
		if !c.Shares(m.programs[0]) {
			return
		}
	}
	m.dropped = true
	for _, c := range m.programs {
		c.DropValues()
	}
	if a, err := m.answersOf(m.compiled); err == nil {
		a.Net.DropValues()
	}
	m.compiled.DropValues()
	debug.FreeOSMemory() // the collector would wait until there is as much garbage again
}

// program is what answers for so many photos at a time; all lanes share it, and all programs of a network the constants that they
// have in common.
func (m *Model) program(net *Network, batch int) (*session.Compiled, error) {
	m.compiling.Lock()
	defer m.compiling.Unlock()
	if m.compiled != net {
		m.compiled, m.programs = net, nil
	}
	for _, c := range m.programs {
		if c.Batch == batch || m.dropped && c.Batch > batch {
			return c, nil
		}
	}
	c, err := m.newProgram(net, batch)
	if err == nil {
		m.programs = append(m.programs, c)
	}
	return c, err
}

func (m *Model) newProgram(net *Network, batch int) (*session.Compiled, error) {
	if len(m.programs) > 0 {
		return m.programs[0].ForBatch(batch)
	}
	a, d, err := m.readingOf(net)
	if err != nil {
		return nil, err
	}
	computed := a.Net
	if d != nil {
		if computed, err = withLook(a); err != nil {
			return nil, err
		}
	}
	return session.ForInference(computed, batch, m.options.direct)
}
