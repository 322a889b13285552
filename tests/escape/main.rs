//! Attacks on isolation `process`: one module per wall, each with a control in which the same
//! attack works where the wall is not, or shows that it reaches its aim.

#[cfg(test)]
mod attack_channel;
#[cfg(test)]
mod attack_listener;
#[cfg(test)]
mod attack_neighbours;
#[cfg(test)]
mod attack_orphans;
#[cfg(test)]
mod attack_reuse;
#[cfg(test)]
mod attack_sockets;
#[cfg(test)]
mod attack_zygote;
#[cfg(test)]
mod bits32;
#[cfg(test)]
mod channel;
#[cfg(test)]
mod controls;
#[cfg(test)]
mod executions;
#[cfg(test)]
mod exhaustion;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod mounts;
#[cfg(test)]
mod native;
#[cfg(test)]
mod neighbours;
#[cfg(test)]
mod network;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod walls;
