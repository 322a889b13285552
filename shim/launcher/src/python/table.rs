//! The dozen functions of CPython's C API that the launcher calls, found at run time.
//!
//! Linking libpython would make the program unusable, without a word of ours, where the library
//! is missing. The signatures are those of CPython 3.11's headers; the library's name pins that
//! version, and CPython changes none of them within it.

#![expect(unsafe_code, reason = "loads a library and gives its symbols types")]

use std::ffi::{CStr, c_char, c_int, c_long, c_ulonglong, c_void};

/// The library, by the name that Debian's package gives it.
pub(super) const LIBRARY: &CStr = c"libpython3.11.so.1.0";

/// A Python object, only ever seen through a pointer.
#[repr(C)]
pub(super) struct PyObject {
    _opaque: [u8; 0],
}

/// Room for a `PyConfig`, which has 424 bytes in 3.11. Its fields are only set by functions.
#[repr(C, align(16))]
pub(super) struct PyConfig(pub(super) [u8; 4096]);

/// What initialisation returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct PyStatus {
    pub(super) kind: c_int,
    pub(super) function: *const c_char,
    pub(super) message: *const c_char,
    pub(super) exit_code: c_int,
}

/// A library that stays loaded for good.
struct Library(*mut c_void);

/// The loader's account of its last failure.
fn loader_error() -> String {
    // SAFETY: returns null or a string that lives until this thread's next loader call.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "the loader gives no reason".to_owned();
    }
    // SAFETY: not null, and terminated as dlerror(3) says; copied before any other loader call.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

impl Library {
    fn open(name: &CStr) -> Result<Self, String> {
        // RTLD_GLOBAL: Debian's extension modules are not linked to libpython and look for its
        // symbols among the global ones.
        // SAFETY: the name is terminated. The library's initialisers are CPython's and those of
        // its dependencies, which expect to be run like this.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        if handle.is_null() {
            Err(loader_error())
        } else {
            Ok(Library(handle))
        }
    }

    fn symbol(&self, name: &CStr) -> Result<*mut c_void, String> {
        // SAFETY: the handle is of a library that is never closed, and the name is terminated.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if address.is_null() {
            Err(loader_error())
        } else {
            Ok(address)
        }
    }
}

macro_rules! table {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions, under the names that CPython's manual gives them.
        #[expect(non_snake_case, reason = "these are CPython's names")]
        pub(super) struct Table {
            $(pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Table {
            fn resolve(library: &Library) -> Result<Self, String> {
                Ok(Table {
                    $($name: {
                        let name = CStr::from_bytes_with_nul(
                            concat!(stringify!($name), "\0").as_bytes(),
                        )
                        .map_err(|error| error.to_string())?;
                        let address = library.symbol(name)?;
                        // SAFETY: the address is not null (`symbol` checked) and is that of the
                        // function of this name in CPython 3.11, whose header declares this type.
                        unsafe {
                            std::mem::transmute::<
                                *mut c_void,
                                unsafe extern "C" fn($($argument),*) $(-> $result)?,
                            >(address)
                        }
                    },)*
                })
            }
        }
    };
}

table! {
    Py_SetPythonHome: fn(*const libc::wchar_t);
    PyConfig_InitPythonConfig: fn(*mut PyConfig);
    PyConfig_SetBytesArgv: fn(*mut PyConfig, isize, *const *const c_char) -> PyStatus;
    PyConfig_Clear: fn(*mut PyConfig);
    Py_InitializeFromConfig: fn(*const PyConfig) -> PyStatus;
    PyStatus_Exception: fn(PyStatus) -> c_int;
    Py_CompileStringExFlags:
        fn(*const c_char, *const c_char, c_int, *mut c_void, c_int) -> *mut PyObject;
    PyImport_ExecCodeModule: fn(*const c_char, *mut PyObject) -> *mut PyObject;
    PyObject_GetAttrString: fn(*mut PyObject, *const c_char) -> *mut PyObject;
    PyObject_Vectorcall:
        fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject;
    PyBytes_FromStringAndSize: fn(*const c_char, isize) -> *mut PyObject;
    PyMemoryView_FromMemory: fn(*mut c_char, isize, c_int) -> *mut PyObject;
    PyBytes_AsStringAndSize: fn(*mut PyObject, *mut *mut c_char, *mut isize) -> c_int;
    PyLong_FromUnsignedLongLong: fn(c_ulonglong) -> *mut PyObject;
    PyLong_AsLong: fn(*mut PyObject) -> c_long;
    PySequence_GetItem: fn(*mut PyObject, isize) -> *mut PyObject;
    PyErr_WriteUnraisable: fn(*mut PyObject);
    PyErr_Clear: fn();
    Py_DecRef: fn(*mut PyObject);
    PyEval_SaveThread: fn() -> *mut c_void;
    PyEval_RestoreThread: fn(*mut c_void);
    PyOS_BeforeFork: fn();
    PyOS_AfterFork_Parent: fn();
    PyOS_AfterFork_Child: fn();
}

impl Table {
    /// Loads `library` and finds every function. The table lives as long as the process, as the
    /// library does.
    pub(super) fn load(library: &CStr) -> Result<&'static Self, String> {
        let table = Table::resolve(&Library::open(library)?)?;
        Ok(Box::leak(Box::new(table)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_named() {
        let error = Table::load(c"libpython0.0.so.1.0").err().unwrap();
        assert!(error.contains("libpython0.0.so.1.0"), "{error}");
    }

    #[test]
    fn a_library_without_the_functions_is_refused_by_the_name_of_the_first() {
        let error = Table::load(c"libc.so.6").err().unwrap();
        assert!(error.contains("Py_SetPythonHome"), "{error}");
    }
}
