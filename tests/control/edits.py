"""What the control build leaves out: edits of a copy of the sources.

A positive control shows that an attack works once one wall is gone. The walls of the product have no
switch, not even in the source; so the control is built from a copy in which each step asks first
whether it is to be left out. Each edit names a text that stands once in a file. One that does not is
an error: whoever changes a wall sees to its control.

A wall's name here is what KEYLANE_CONTROL lists, separated by commas.
"""

JAIL, SYS, SPAWNER, FRONT = "supervisor/jail/src/", "supervisor/sys/src/", "supervisor/spawner/src/", "supervisor/front/src/"

# Read by the control alone; the front hands it to the spawner, which starts everything else.
QUESTION = '''
/// Whether this control build is to leave the step out.
pub fn without(step: &str) -> bool {
    std::env::var("KEYLANE_CONTROL").is_ok_and(|all| all.split(',').any(|one| one == step))
}
'''


def unless(wall, statement):
    return f'if !keylane_sys::without("{wall}") {{ {statement} }}'


def namespace(kind):
    flag = f"libc::CLONE_NEW{kind.upper()}"
    return flag, f'(if crate::without("{kind} namespace") {{ 0 }} else {{ {flag} }})'


LANDLOCK = "filesystem::restrict(ruleset)?;"
NO_NEW_PRIVILEGES = "step::take(Step::NoNewPrivileges, sys::no_new_privileges)?;"
BOUNDING_SET = "step::take(Step::Capabilities, capability::empty_bounding_set)?;"
CAPABILITIES = "step::take(Step::Capabilities, capability::drop_all)?;"
UMASK = "sys::set_private_umask();"
UNDUMPABLE = "step::take(Step::Undumpable, || sys::set_dumpable(false))?;"
OWN_SESSION = "step::take(Step::Session, sys::new_session)?;"
PARENT_DEATH = "step::take(Step::ParentDeath, sys::die_with_parent)?;"
SPAWNERS_SESSION = "jail::new_session().map_err(host)?;"
# What a spawner gives up its children inherit.
SPAWNERS_OWN = "jail::no_new_privileges().map_err(host)?;"

# (file, the text that stands once in it, what stands there in the control)
EDITS = [
    (JAIL + "lib.rs", LANDLOCK, unless("landlock", LANDLOCK)),
    (JAIL + "lib.rs", NO_NEW_PRIVILEGES, unless("no_new_privs", NO_NEW_PRIVILEGES)),
    (SPAWNER + "spawner/mod.rs", SPAWNERS_OWN, unless("no_new_privs", SPAWNERS_OWN)),
    (JAIL + "lib.rs", BOUNDING_SET, unless("bounding set", BOUNDING_SET)),
    (JAIL + "lib.rs", CAPABILITIES, unless("capabilities", CAPABILITIES)),
    (JAIL + "lib.rs", UMASK, unless("umask", UMASK)),
    (JAIL + "lib.rs", UNDUMPABLE, unless("undumpable", UNDUMPABLE)),
    (JAIL + "lib.rs", OWN_SESSION, unless("own session", OWN_SESSION)),
    (JAIL + "lib.rs", PARENT_DEATH, unless("parent death", PARENT_DEATH)),
    (JAIL + "filesystem.rs", ".handle_access(AccessNet::from_all(ABI::V6))",
     '.handle_access(if keylane_sys::without("ports") { AccessNet::BindTcp.into() } else { AccessNet::from_all(ABI::V6) })'),
    (JAIL + "filesystem.rs", ".scope(Scope::from_all(ABI::V6))",
     '.scope(if keylane_sys::without("signal scope") { Scope::AbstractUnixSocket.into() } '
     'else if keylane_sys::without("socket scope") { Scope::Signal.into() } else { Scope::from_all(ABI::V6) })'),
    (JAIL + "filter.rs", "        denied::filter(seal).map_err(refused)\n",
     '        if keylane_sys::without("last filter") { return Ok(()); }\n        denied::filter(seal).map_err(refused)\n'),
    (SPAWNER + "spawner/mod.rs", SPAWNERS_SESSION, unless("spawner's session", SPAWNERS_SESSION)),
    (SPAWNER + "spawner/hear_denied.rs", "if sender != Some(zygote.leader.pid()) ||",
     'if (sender != Some(zygote.leader.pid()) && !keylane_sys::without("listener\'s sender")) ||'),
    (JAIL + "lib.rs", "    filters.install(pass_on)\n",
     '    if keylane_sys::without("filter") { return Ok(()); }\n    filters.install(pass_on)\n'),
    (JAIL + "lib.rs", "if let Some(user) = plan.user {",
     'if let Some(user) = plan.user && !keylane_sys::without("user") {'),
    (JAIL + "lib.rs", "if sys::is_root() {", 'if sys::is_root() && !keylane_sys::without("user") {'),
    (SYS + "jail.rs", "for (resource, limit) in table {",
     'for (resource, limit) in table {\n        if crate::without(&format!("{resource:?}")) { continue; }'),
    (SYS + "jail.rs", "    close_from(end, image_at.saturating_sub(1))?;",
     '    if crate::without("descriptors") { return Ok(()); }\n    close_from(end, image_at.saturating_sub(1))?;'),
    # A lane makes its channels itself.
    (JAIL + "launch.rs", ".filter_map(|entry| CString::new(*entry).ok())",
     ".filter_map(|entry| CString::new(*entry).ok())"
     '.chain(std::env::var("KEYLANE_CONTROL").ok()'
     '.and_then(|all| CString::new(format!("KEYLANE_CONTROL={all}")).ok()))'),
    *((SYS + "process.rs", *namespace(kind)) for kind in ("user", "pid", "net", "ipc")),
    (JAIL + "launch.rs", "let mut plan = start.plan.clone();",
     'let mut plan = start.plan.clone();\n    if keylane_sys::without("own root") { plan.root = None; }'),
    (JAIL + "launch.rs", "fork(child::namespaces(&start.plan))", "fork(child::namespaces(&plan))"),
    (JAIL + "launch.rs", "start.group.map_or(Ok(()), |group| group.enter(child.pid()));",
     'start.group.filter(|_| !keylane_sys::without("control group"))'
     '.map_or(Ok(()), |group| group.enter(child.pid()));'),
    (JAIL + "launch.rs", "let mapped = if start.plan.namespaces {",
     'let mapped = if start.plan.namespaces && !keylane_sys::without("user namespace") {'),
    (SYS + "body.rs", "    memfd.add_seals(&FIXED_SIZE).map_err(fault)?;",
     '    if !crate::without("seals") { memfd.add_seals(&FIXED_SIZE).map_err(fault)?; }'),
    (SPAWNER + "spawner/hear_zygote.rs", "!zygote.owns(pid) ||",
     '(!zygote.owns(pid) && !keylane_sys::without("session")) ||'),
    (FRONT + "deployment/start.rs", "process::execute(image.as_fd(), &[program], &[])",
     "process::execute(image.as_fd(), &[program], &std::env::var(\"KEYLANE_CONTROL\").ok()"
     '.and_then(|all| std::ffi::CString::new(format!("KEYLANE_CONTROL={all}")).ok())'
     ".into_iter().collect::<Vec<_>>())"),
]


class Misfit(Exception):
    """An edit does not find its place."""


def apply(read):
    """The edited files, path -> text; `read` gives the text of a path."""
    texts = {}
    for path, old, new in EDITS:
        text = texts.get(path) or read(path)
        if text.count(old) != 1:
            raise Misfit(f"{path} has {old!r} {text.count(old)} times, not once: mend tests/control/edits.py")
        texts[path] = text.replace(old, new)
    path = SYS + "lib.rs"
    texts[path] = read(path) + QUESTION
    return texts
