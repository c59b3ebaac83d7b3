#!/usr/bin/perl
# An SMSC that is not ours: Net::SMPP does the protocol. For tests and benchmarks.
#
#   smsc.pl JOURNAL SYSTEM_ID PASSWORD [PORT [ADDRESS]]
#
# Prints "listening PORT". Every submit_sm is written to JOURNAL (and flushed) before it is answered, as one JSON object a
# line: {at, id, from, to, esm_class, data_coding, registered_delivery, validity_period, hex}. Commands come on standard input, and
# wait until somebody is bound:
#   receipt ID STATE        a delivery receipt for a message it has accepted (STATE: DELIVRD, UNDELIV, ...)
#   reply FROM TO TEXT      an SMS from a phone
#   part FROM TO NUMBER TOTAL TEXT      a part of a long one
#   octets FROM TO CODING HEX           an SMS in another alphabet (data_coding)
#   die COUNT               as by kill -9, when so many texts have been written down, before the last of them is answered
# What a deliver_sm is answered with is written to JOURNAL as {delivered, status}.
use strict;
use warnings;
use IO::Select;
use Time::HiRes qw(time);
use Net::SMPP;

$SIG{PIPE} = 'IGNORE';    # a client may be gone before it is answered
my ($journal, $system_id, $password, $port, $address) = @ARGV;
my $server = Net::SMPP->new_listen($address || '127.0.0.1', port => $port || 0, smpp_version => 0x34) or die "cannot listen: $!";
open(my $log, '>>', $journal) or die "cannot write $journal: $!";
$log->autoflush(1);
STDOUT->autoflush(1);
print 'listening ', $server->sockport, "\n";

my $select = IO::Select->new($server, \*STDIN);
my (%bound, %taken, @waiting);
my $next_id = 1000;
my $next_delivery = 1;
my $heard = '';
my $dies_at = 0;

while (1) {
    for my $ready ($select->can_read) {
        if ($ready == $server) { $select->add($server->accept); }
        elsif ($ready == \*STDIN) { hear(); }
        else { serve($ready); }
    }
}

sub forget {
    my ($link) = @_;
    $select->remove($link);
    delete $bound{$link};
    close $link;
}

sub serve {
    my ($link) = @_;
    my $pdu = eval { $link->read_pdu() };
    return forget($link) unless $pdu;
    my $command = $pdu->{cmd};
    if ($command == Net::SMPP::CMD_bind_transceiver || $command == Net::SMPP::CMD_bind_transmitter) {
        my $status = $pdu->{system_id} ne $system_id ? 0x0F : $pdu->{password} ne $password ? 0x0E : 0;
        my $answer = $command == Net::SMPP::CMD_bind_transceiver ? 'bind_transceiver_resp' : 'bind_transmitter_resp';
        $link->$answer(system_id => 'smsc', seq => $pdu->{seq}, status => $status);
        return forget($link) if $status;
        $bound{$link} = $link if $command == Net::SMPP::CMD_bind_transceiver;
        obey($_) for splice @waiting;
    }
    elsif ($command == Net::SMPP::CMD_submit_sm) { take($link, $pdu); }
    elsif ($command == Net::SMPP::CMD_enquire_link) { $link->enquire_link_resp(seq => $pdu->{seq}); }
    elsif ($command == Net::SMPP::CMD_unbind) { $link->unbind_resp(seq => $pdu->{seq}); forget($link); }
    elsif ($command & 0x80000000) {
        printf $log qq({"at":%.6f,"delivered":%d,"status":%d}\n), time, $pdu->{seq}, $pdu->{status};
    }
    else { $link->generic_nack(seq => $pdu->{seq}, status => 3); }
}

sub take {
    my ($link, $pdu) = @_;
    my $id = $next_id++;
    $taken{$id} = $pdu;
    printf $log qq({"at":%.6f,"id":"%s","from":"%s","to":"%s","esm_class":%d,"data_coding":%d,"registered_delivery":%d,"validity_period":"%s","hex":"%s"}\n),
        time, $id, $pdu->{source_addr}, $pdu->{destination_addr}, $pdu->{esm_class}, $pdu->{data_coding},
        $pdu->{registered_delivery}, $pdu->{validity_period}, unpack('H*', $pdu->{short_message});
    kill 'KILL', $$ if $dies_at && $id >= 1000 + $dies_at - 1;
    $link->submit_sm_resp(message_id => $id, seq => $pdu->{seq});
}

sub hear {
    exit 0 unless sysread(STDIN, $heard, 65536, length $heard);
    obey($1) while $heard =~ s/^(.*)\n//;
}

sub obey {
    my ($line) = @_;
    if ($line =~ /^die (\d+)/) { $dies_at = $1; return; }
    my ($word, @rest) = split / /, $line, 4;
    my ($link) = values %bound;
    unless ($link) { push @waiting, $line; return; }
    if ($word eq 'receipt') {
        my ($id, $state) = @rest;
        my $pdu = $taken{$id} or return;
        my $text = "id:$id sub:001 dlvrd:001 submit date:2611230900 done date:2611230901 stat:$state err:000 text:";
        deliver($link, $pdu->{destination_addr}, $pdu->{source_addr}, 0x04, $text);
    }
    elsif ($word eq 'reply') { deliver($link, $rest[0], $rest[1], 0x00, $rest[2]); }
    elsif ($word eq 'octets') {
        my ($coding, $hex) = split / /, $rest[2];
        deliver($link, $rest[0], $rest[1], 0x00, pack('H*', $hex), $coding);
    }
    elsif ($word eq 'part') {
        my ($number, $total, $text) = split / /, $rest[2], 3;
        deliver($link, $rest[0], $rest[1], 0x40, pack('C6', 5, 0, 3, 77, $total, $number) . $text);
    }
}

sub deliver {
    my ($link, $from, $to, $esm_class, $text, $coding) = @_;
    $link->deliver_sm(
        seq => $next_delivery++, source_addr => $from, destination_addr => $to, source_addr_ton => 1, dest_addr_ton => 1,
        esm_class => $esm_class, data_coding => $coding || 0, short_message => $text, async => 1,
    );
}
