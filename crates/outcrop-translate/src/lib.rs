//! Client protocols to and from Converse, without I/O.
