//! References to Python objects, owned and released; and the calls that the launcher makes.
//!
//! INVARIANT `gil-held`: an `Object` is made and used only while this thread holds CPython's lock.
//! `Interpreter` keeps it: objects never leave it, and the closures that it runs without the lock
//! cannot reach them.
//! INVARIANT `own-reference`: an `Object` owns one reference to a live object.
//!
//! A failed call is `None`; what Python has to say about it is printed as an unraisable exception.

#![expect(unsafe_code, reason = "calls CPython's C API")]

use super::table::{PyObject, Table};
use std::ffi::{CStr, c_char, c_int};
use std::ptr::{self, NonNull};

/// `PyBUF_WRITE` of CPython's headers.
const WRITABLE: c_int = 0x200;

/// `Py_file_input` of CPython's compile.h: a module's source.
const FILE_INPUT: c_int = 257;

/// One reference to a Python object.
pub(super) struct Object {
    table: &'static Table,
    pointer: NonNull<PyObject>,
}

impl Object {
    /// Takes over the reference that a C API function returned, or reports its failure.
    fn own(table: &'static Table, pointer: *mut PyObject) -> Option<Self> {
        let pointer = NonNull::new(pointer);
        if pointer.is_none() {
            // SAFETY: `gil-held`, and null is allowed as the object; the function that returned
            // null has set the exception that this prints and clears.
            unsafe { (table.PyErr_WriteUnraisable)(ptr::null_mut()) };
        }
        pointer.map(|pointer| Object { table, pointer })
    }

    /// Compiles and runs a module's source, and leaves the module in `sys.modules`.
    pub(super) fn module(
        table: &'static Table,
        name: &CStr,
        file: &CStr,
        source: &CStr,
    ) -> Option<Self> {
        // SAFETY: `gil-held`; three terminated strings and an allowed start symbol; null flags and
        // optimisation -1 mean the interpreter's own.
        let code = unsafe {
            (table.Py_CompileStringExFlags)(
                source.as_ptr(),
                file.as_ptr(),
                FILE_INPUT,
                ptr::null_mut(),
                -1,
            )
        };
        let code = Object::own(table, code)?;
        // SAFETY: `gil-held`; a terminated name and a live code object.
        let module =
            unsafe { (table.PyImport_ExecCodeModule)(name.as_ptr(), code.pointer.as_ptr()) };
        Object::own(table, module)
    }

    /// A `bytes` with a copy of `length` bytes at `address`.
    ///
    /// # Safety
    /// So many bytes must be readable there. Another process may write them meanwhile.
    pub(super) unsafe fn copied(
        table: &'static Table,
        address: *const u8,
        length: usize,
    ) -> Option<Self> {
        let size = isize::try_from(length).ok()?;
        // SAFETY: `gil-held`; the caller answers for the bytes, which are copied by memcpy.
        let bytes = unsafe { (table.PyBytes_FromStringAndSize)(address.cast::<c_char>(), size) };
        Object::own(table, bytes)
    }

    /// A `bytes` with a copy of `bytes`.
    pub(super) fn bytes(table: &'static Table, bytes: &[u8]) -> Option<Self> {
        // SAFETY: a slice's bytes are readable.
        unsafe { Object::copied(table, bytes.as_ptr(), bytes.len()) }
    }

    /// A `memoryview` of `length` bytes at `address` that Python may write to.
    ///
    /// # Safety
    /// The bytes stay mapped and writable as long as the process.
    pub(super) unsafe fn window(
        table: &'static Table,
        address: *const u8,
        length: usize,
    ) -> Option<Self> {
        let length = isize::try_from(length).ok()?;
        // SAFETY: `gil-held`; the caller makes sure of the bytes, and the manual of
        // PyMemoryView_FromMemory asks for no more.
        let object =
            unsafe { (table.PyMemoryView_FromMemory)(address.cast_mut().cast(), length, WRITABLE) };
        Object::own(table, object)
    }

    /// An `int`.
    pub(super) fn integer(table: &'static Table, value: u64) -> Option<Self> {
        // SAFETY: `gil-held`.
        let object = unsafe { (table.PyLong_FromUnsignedLongLong)(value) };
        Object::own(table, object)
    }

    /// An attribute.
    pub(super) fn attribute(&self, name: &CStr) -> Option<Self> {
        // SAFETY: `gil-held`, `own-reference`, and a terminated name.
        let object =
            unsafe { (self.table.PyObject_GetAttrString)(self.pointer.as_ptr(), name.as_ptr()) };
        Object::own(self.table, object)
    }

    /// An item of a sequence.
    pub(super) fn item(&self, index: isize) -> Option<Self> {
        // SAFETY: `gil-held` and `own-reference`; an index out of range is an exception.
        let object = unsafe { (self.table.PySequence_GetItem)(self.pointer.as_ptr(), index) };
        Object::own(self.table, object)
    }

    /// Calls it.
    pub(super) fn call<const N: usize>(&self, arguments: [&Object; N]) -> Option<Self> {
        let pointers = arguments.map(|argument| argument.pointer.as_ptr());
        // SAFETY: `gil-held` and `own-reference`, for the arguments too, which outlive the call;
        // the array has N of them, there are no keyword names, and without the flag
        // PY_VECTORCALL_ARGUMENTS_OFFSET in N the callee changes nothing in the array.
        let object = unsafe {
            (self.table.PyObject_Vectorcall)(
                self.pointer.as_ptr(),
                pointers.as_ptr(),
                N,
                ptr::null_mut(),
            )
        };
        Object::own(self.table, object)
    }

    /// The value of an `int`.
    pub(super) fn to_integer(&self) -> Option<u64> {
        // SAFETY: `gil-held` and `own-reference`; what is not an int is an exception and -1.
        let value = unsafe { (self.table.PyLong_AsLong)(self.pointer.as_ptr()) };
        let value = u64::try_from(value).ok();
        if value.is_none() {
            // SAFETY: `gil-held`.
            unsafe { (self.table.PyErr_Clear)() };
        }
        value
    }

    /// The content of a `bytes`.
    pub(super) fn to_bytes(&self) -> Option<&[u8]> {
        let mut address: *mut c_char = ptr::null_mut();
        let mut size: isize = 0;
        // SAFETY: `gil-held`, `own-reference`, and two places of this frame to write to; what is
        // not a bytes is an exception and -1.
        let failed = unsafe {
            (self.table.PyBytes_AsStringAndSize)(
                self.pointer.as_ptr(),
                &raw mut address,
                &raw mut size,
            )
        };
        let length = usize::try_from(size).unwrap_or(0);
        if failed != 0 || address.is_null() {
            // SAFETY: `gil-held`.
            unsafe { (self.table.PyErr_Clear)() };
            return None;
        }
        // SAFETY: CPython said that so many bytes are there. A bytes never changes, and it lives
        // as long as `self`, which the slice borrows.
        Some(unsafe { std::slice::from_raw_parts(address.cast::<u8>(), length) })
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: `gil-held`, and `own-reference` ends here.
        unsafe { (self.table.Py_DecRef)(self.pointer.as_ptr()) };
    }
}
