//! See the README beside this folder.
